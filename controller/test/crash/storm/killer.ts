import { setTimeout as delay } from 'node:timers/promises'
import { identityOf, isAlive } from '../../../src/lib/process-identity.ts'
import type { Plant, Profile } from './plant.ts'
import type { Random } from './random.ts'

/** What is killed, how often among all kills. A backend of Postgres takes its whole server into recovery. */
const TARGETS = ['worker', 'worker', 'worker', 'starting worker', 'agent', 'agent', 'postgres', 'backend'] as const
/** Of several processes, one may stand still while another takes its place. */
const TEAM_TARGETS = [...TARGETS, 'worker', 'frozen worker'] as const
export type Target = (typeof TEAM_TARGETS)[number]

/** The lease of a process of a team lasts 3 s. */
const LONGER_THAN_A_LEASE_MS = 5000

export interface Kill {
  readonly target: Target
  /** How long everything runs, after the worker is ready, before this one. */
  readonly afterMs: number
}

/** The kills of a seed, in order: every target comes as often as it should, however few they are. */
export function killsOf(random: Random, count: number, profile: Profile): Kill[] {
  const kills: Kill[] = []
  while (kills.length < count) {
    const round: Target[] = profile === 'team' ? [...TEAM_TARGETS] : [...TARGETS]
    while (round.length > 0 && kills.length < count) {
      const [target] = round.splice(random.between(0, round.length - 1), 1)
      kills.push({ target: target!, afterMs: random.between(50, 2000) })
    }
  }
  return kills
}

/** Kills one after the other. Resolves to what was really killed: an agent may have nothing to do at that moment. */
export async function killAll(plant: Plant, kills: readonly Kill[], random: Random): Promise<Target[]> {
  const killed: Target[] = []
  for (const { target, afterMs } of kills) {
    await plant.untilReady()
    await delay(afterMs)
    if (await kill(plant, target, random)) killed.push(target)
  }
  return killed
}

async function kill(plant: Plant, target: Target, random: Random): Promise<boolean> {
  switch (target) {
    case 'worker':
      await plant.killWorker(random, null)
      return true
    case 'starting worker':
      await plant.killWorker(random, random.between(100, 1200))
      return true
    case 'frozen worker':
      return plant.freezeWorker(random, LONGER_THAN_A_LEASE_MS)
    case 'agent': {
      const rows = await plant.read(
        (sql) => sql<{ pid: number }[]>`
        SELECT pid FROM instances WHERE ended_at IS NULL AND pid IS NOT NULL ORDER BY id`,
      )
      const pids = rows.map(({ pid }) => pid)
      // The shim alone, or everything in its group.
      return pids.length > 0 && killProcess(random.chance(0.5) ? random.pick(pids) : -random.pick(pids))
    }
    case 'backend': {
      const rows = await plant.read(
        (sql) => sql<{ pid: number }[]>`
        SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`,
      )
      return rows.length > 0 && killProcess(random.pick(rows).pid)
    }
    case 'postgres': {
      const pid = plant.postmaster()
      const identity = pid === null ? null : identityOf(pid)
      if (identity === null || !killProcess(identity.pid)) return false
      while (isAlive(identity)) await delay(5)
      return true
    }
  }
}

function killProcess(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
