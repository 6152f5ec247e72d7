import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_bytes: number
  readonly kernel: string
  readonly node: string
  readonly git: string
  readonly postgres: string
}

export function machineOf(postgres: string): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memory_bytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    git: execFileSync('git', ['--version'], { encoding: 'utf8' }).trim().replace('git version ', ''),
    postgres,
  }
}

export function machineLine(machine: Machine): string {
  const gigabytes = Math.round(machine.memory_bytes / 1024 ** 3)
  return `${machine.cores} x ${machine.cpu}, ${gigabytes} GiB, ${machine.kernel}, node ${machine.node}, git ${machine.git}, Postgres ${machine.postgres}`
}
