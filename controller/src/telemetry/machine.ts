import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os'
import { hasCode } from '../lib/error-code.ts'

/** What a machine has. */
export interface Hardware {
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
  readonly storage: number
  /** Bits a second of the fastest link; null = the system does not say. */
  readonly network: number | null
  /** Devices. */
  readonly gpu: number
}

/** What a machine uses at this moment. */
export interface MachineMetrics {
  /** Share of all cores, 0 to 1, since the measurement before. */
  readonly cpu: number
  readonly load1: number
  /** Bytes. */
  readonly memory_used: number
  readonly storage_used: number
  /** Bytes since the machine was started. */
  readonly network_received: number
  readonly network_sent: number
  readonly gpu: number
}

export interface Machine {
  hardware(): Promise<Hardware>
  metrics(): Promise<MachineMetrics>
}

/** The machine this process runs on; `folder` lies on the storage that counts. */
export function thisMachine(folder: string): Machine {
  let before = cpuTimes()
  const storage = async () => {
    const { blocks, bavail, bsize } = await statfs(existsSync(folder) ? folder : '.')
    return { total: blocks * bsize, free: bavail * bsize }
  }
  return {
    async hardware() {
      return {
        cpu: availableParallelism(),
        memory: totalmem(),
        storage: (await storage()).total,
        network: linkSpeed(),
        gpu: gpus(),
      }
    },
    async metrics() {
      const now = cpuTimes()
      const [busy, all] = [now.busy - before.busy, now.all - before.all]
      before = now
      const { total, free } = await storage()
      const traffic = networkTraffic()
      return {
        cpu: all <= 0 ? 0 : Math.round((busy / all) * 1000) / 1000,
        load1: Math.round(loadavg()[0]! * 100) / 100,
        memory_used: totalmem() - freemem(),
        storage_used: total - free,
        network_received: traffic.received,
        network_sent: traffic.sent,
        gpu: gpus(),
      }
    },
  }
}

function cpuTimes(): { readonly busy: number; readonly all: number } {
  let [idle, all] = [0, 0]
  for (const { times } of cpus()) {
    idle += times.idle
    all += times.user + times.nice + times.sys + times.idle + times.irq
  }
  return { busy: all - idle, all }
}

/** Graphics devices the system knows; 0 where it does not say. */
function gpus(): number {
  const rendering = namesIn('/dev/dri').filter((name) => name.startsWith('renderD')).length
  const nvidia = namesIn('/dev').filter((name) => /^nvidia[0-9]+$/.test(name)).length
  return Math.max(rendering, nvidia)
}

/** Bits a second of the fastest link that is up; null where the system does not say. */
function linkSpeed(): number | null {
  const speeds = namesIn('/sys/class/net')
    .filter((name) => name !== 'lo')
    .map((name) => Number(textOf(`/sys/class/net/${name}/speed`) ?? '-1'))
    .filter((speed) => speed > 0)
  return speeds.length === 0 ? null : Math.max(...speeds) * 1_000_000
}

function networkTraffic(): { readonly received: number; readonly sent: number } {
  let [received, sent] = [0, 0]
  for (const line of (textOf('/proc/net/dev') ?? '').split('\n')) {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line)
    if (match === null || match[1] === 'lo') continue
    const numbers = match[2]!.trim().split(/\s+/).map(Number)
    received += numbers[0] ?? 0
    sent += numbers[8] ?? 0
  }
  return { received, sent }
}

/** A file of the system; null where there is none, or it answers with an error, as links that are down do. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'EACCES', 'EOPNOTSUPP', 'EIO')) return null
    throw error
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return []
    throw error
  }
}
