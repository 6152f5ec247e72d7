import { readdirSync, readFileSync } from 'node:fs'

/** The most memory a process ever had resident (VmHWM), in bytes; null where the system does not say. */
export function peakMemory(pid: number): number | null {
  return kilobytes(`/proc/${pid}/status`, /^VmHWM:\s+(\d+) kB$/m)
}

/** What a process has resident now, pages it shares counted in parts (Pss), in bytes. */
export function proportionalMemory(pid: number): number | null {
  return kilobytes(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB$/m)
}

/** Process ids below a process, grandchildren included. */
export function descendants(pid: number): number[] {
  const children = Map.groupBy(processes(), (one) => one.parent)
  const found: number[] = []
  const queue = [pid]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const child of children.get(next) ?? []) {
      found.push(child.pid)
      queue.push(child.pid)
    }
  }
  return found
}

function processes(): { readonly pid: number; readonly parent: number }[] {
  return readdirSync('/proc').flatMap((name) => {
    const text = /^\d+$/.test(name) ? textOrNull(`/proc/${name}/status`) : null
    const parent = /^PPid:\s+(\d+)$/m.exec(text ?? '')?.[1]
    return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }]
  })
}

function kilobytes(file: string, line: RegExp): number | null {
  const found = line.exec(textOrNull(file) ?? '')?.[1]
  return found === undefined ? null : Number(found) * 1024
}

/** Null for a process that ended meanwhile, and on systems without /proc. */
function textOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
