import { readFileSync } from 'node:fs'
import { descendants } from './process-memory.ts'

/** Ticks a second of /proc, the same on every Linux. */
const TICKS = 100

/**
 * Seconds a process and everything below it spent on processors so far, ended children included; null where the system does
 * not tell.
 */
export function cpuSecondsOfTree(pid: number): number | null {
  let ticks = 0
  for (const one of [pid, ...descendants(pid)]) {
    try {
      const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]!.split(' ')
      // utime, stime, and of children that ended cutime, cstime.
      for (const field of [11, 12, 13, 14]) ticks += Number(fields[field])
    } catch {
      if (one === pid) return null
    }
  }
  return ticks / TICKS
}

/** Seconds this process spent on processors since `process.cpuUsage()` said `before`, all of its threads together. */
export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}
