import { StatewardError } from '../lib/errors.ts'
import type { AgentTarget } from './agent-target.ts'
import type { HostFleet } from './fleet.ts'
import type { Obstacle } from './observation.ts'
import type { LocalHost } from './ports.ts'
import { type Redact, redactor } from './redaction.ts'
import { resolveExecutable } from './runtimes/process/executable.ts'
import { declaredEnvironment } from './secrets.ts'

/** What a process of an agent is started with. */
export interface Provisions {
  /** `env` with secrets resolved: goes to the program, and nowhere else. */
  readonly declared: Readonly<Record<string, string>>
  readonly redact: Redact
  /** Read-only copy of `workdir`. */
  readonly files: string | null
  readonly shared: string | null
}

/** Everything a start needs, or what stands in its way. Writes nothing to the database. */
export async function provide(fleet: HostFleet, target: AgentTarget): Promise<Provisions | Obstacle> {
  const { context } = fleet
  try {
    const { values, secrets } = await declaredEnvironment(target.spec, context.secrets, {
      consumer: `agent:${target.namespace}/${target.name}`,
      namespace: target.namespace,
    })
    // Whoever has it may print it.
    const url = context.databaseUrl()
    const files = target.filesTree === null ? null : await fleet.trees.ensure(target.filesTree)
    const missing = commandObstacle(fleet, target, files, values['PATH'])
    if (missing !== null) return missing
    const shared =
      target.projectSharedFolder === undefined
        ? null
        : await fleet.workspaces.makeSharedFolder(target.namespace, target.projectSharedFolder)
    return { declared: values, redact: redactor(url === null ? secrets : [...secrets, url]), files, shared }
  } catch (error) {
    if (!(error instanceof StatewardError)) throw error
    if (error.ref === 'SW_DATABASE_UNREACHABLE' || error.ref === 'SW_LEASE_LOST') throw error
    return {
      reason: error.ref === 'SW_SECRET_MISSING' ? 'SecretMissing' : 'Failed',
      message: `${error.message}: ${error.remedy}`,
    }
  }
}

export function isObstacle(value: Provisions | Obstacle): value is Obstacle {
  return 'reason' in value
}

/** Whether there is room on the host for one process more of this agent. */
export async function roomObstacle(fleet: HostFleet, target: AgentTarget): Promise<Obstacle | null> {
  const host = fleet.context.localHost()
  const used = await fleet.ledger.usedSlots()
  return used + target.spec.resources.slots > host.slots ? noRoom(host, target) : null
}

export function noRoom(host: LocalHost, target: AgentTarget): Obstacle {
  const { slots } = target.spec.resources
  return {
    reason: 'NoHost',
    message: `host ${host.name} has no free room for ${slots === 1 ? 'a slot' : `${slots} slots`} (capacity ${host.slots})`,
  }
}

function commandObstacle(
  fleet: HostFleet,
  target: AgentTarget,
  files: string | null,
  declaredPath: string | undefined,
): Obstacle | null {
  const { command, mode } = target.spec.runtime.process
  const word = command[0]!
  const path = declaredPath ?? `${fleet.context.nodeFolder}:${fleet.context.inherited.PATH}`
  if (mode === 'perTask' && word.includes('/') && !word.startsWith('/')) {
    return {
      reason: 'CommandNotFound',
      message: `"${word}" is looked for in the task's own folder, which is empty: write [sh, -c, 'exec "$STATEWARD_FILES"/…']`,
    }
  }
  // A program without files runs in its workspace, which holds no program of its own.
  const cwd = files ?? fleet.context.dataDir
  if (resolveExecutable(word, { cwd, path }) !== null) return null
  const where = word.includes('/')
    ? files === null
      ? 'and the agent has no workdir'
      : `in workdir ${target.spec.runtime.process.workdir}`
    : 'on PATH'
  return { reason: 'CommandNotFound', message: `"${word}" is not an executable file ${where}` }
}
