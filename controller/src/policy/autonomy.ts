import { globMatches } from '../lib/glob.ts'

export const AUTONOMIES = ['full', 'supervised', 'manual'] as const
export type Autonomy = (typeof AUTONOMIES)[number]

/** A call of a tool, and the agents behind it: those whose work it goes on from, and one that started the run. */
export interface AutonomyQuestion {
  /** Names of the tool: its own and the one it is called by. */
  readonly tool: readonly string[]
  readonly risk: 'low' | 'medium' | 'high'
  readonly sideEffects: 'none' | 'reversible' | 'irreversible'
  /** As the environment says; null = it says nothing. */
  readonly environment: Autonomy | null
  readonly agents: readonly AutonomyOfAgent[]
}

export interface AutonomyOfAgent {
  readonly name: string
  /** Null = it says nothing. */
  readonly autonomy: Autonomy | null
  /** Globs of tools. */
  readonly requireApproval: readonly string[]
}

/** Why somebody has to agree. */
export interface AutonomyGate {
  readonly by: string
  readonly reason: string
  /** A gate of the plan that stands above the call does not count: the gate is always opened. */
  readonly always: boolean
}

/**
 * The gates that autonomy adds: none with `full`; with `supervised` before calls of medium or high risk; with `manual`
 * before every call that leaves something behind. What an environment says holds for every call in it; what an agent says, for
 * the calls behind its work, and the stricter of both counts. Where neither says anything, `supervised` holds for agents.
 */
export function autonomyGate(question: AutonomyQuestion): AutonomyGate | null {
  const { tool, agents, environment } = question
  for (const { name, requireApproval } of agents) {
    if (!requireApproval.some((glob) => tool.some((one) => globMatches(glob, one)))) continue
    return { by: `agent ${name} (requireApproval)`, reason: `calls of ${tool[0]} need an approval`, always: true }
  }
  if (environment !== null && asks(environment, question))
    return { by: `autonomy ${environment} of the environment`, reason: reasonOf(environment), always: false }
  for (const { name, autonomy } of agents) {
    const own = autonomy ?? environment ?? 'supervised'
    if (asks(own, question)) return { by: `autonomy ${own} of agent ${name}`, reason: reasonOf(own), always: false }
  }
  return null
}

function asks(autonomy: Autonomy, { risk, sideEffects }: AutonomyQuestion): boolean {
  if (autonomy === 'full') return false
  return autonomy === 'supervised' ? risk !== 'low' : sideEffects !== 'none'
}

function reasonOf(autonomy: Autonomy): string {
  return autonomy === 'manual' ? 'the call leaves something behind' : 'the call is of medium or high risk'
}
