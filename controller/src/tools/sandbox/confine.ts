import type { NetworkRules } from '../net/reach.ts'
import { type ProgramLimits, withLimits } from './limits.ts'
import { type Sandbox, unavailable } from './sandbox.ts'

/** What has to be kept of a program that a tool starts. */
export interface Demand {
  /** Nothing but the network is confined. */
  readonly isTrusted: boolean
  /** Without a sandbox it is not started at all. */
  readonly isRequired: boolean
  /** False = it wants none. */
  readonly network: boolean
  readonly limits: ProgramLimits
  readonly rules: NetworkRules
  readonly workspace: string
  readonly log: (line: string) => void
}

/**
 * The program as it is started. A network that is closed to it is closed: a program cannot be kept to some hosts, so rules that
 * name hosts close it as well. Throws SW_SANDBOX_UNAVAILABLE where that, or a sandbox that is required, cannot be had; where
 * neither is asked for, a program without a sandbox says so in its log.
 */
export async function confined(sandbox: Sandbox, argv: readonly string[], demand: Demand): Promise<readonly string[]> {
  const { isTrusted, isRequired, rules, workspace } = demand
  const network = demand.network && rules.allowOutbound && rules.allow === null
  const limited = isTrusted ? argv : withLimits(argv, demand.limits, sandbox.problem === null)
  if (isTrusted && network) return limited
  if (sandbox.problem !== null) {
    if (!network) throw unavailable(`${sandbox.problem}, so its network cannot be closed`)
    if (isRequired) throw unavailable(sandbox.problem)
    demand.log(`not confined: ${sandbox.problem}`)
    return limited
  }
  return await sandbox.wrap(limited, { workspace, network, files: !isTrusted })
}
