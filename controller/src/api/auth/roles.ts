import { VERBS, type Verb } from './verbs.ts'

interface Role {
  readonly description: string
  readonly verbs: readonly Verb[]
}

const VIEWER = ['read'] as const
const OPERATOR = [
  ...VIEWER,
  'events.emit',
  'artifacts.write',
  'runs.start',
  'runs.cancel',
  'runs.retry',
  'runs.rollback',
  'gates.decide',
  'objects.reconcile',
  'objects.override',
] as const
/** Everything but what only a running instance of an agent may do. */
const ADMIN = (Object.keys(VERBS) as Verb[]).filter((verb) => verb !== 'agent.work')

/** Roles are data: a role is the verbs it lists, and nothing else knows its name. */
export const ROLES = {
  viewer: { description: 'looks', verbs: VIEWER },
  operator: { description: 'looks, starts and stops, decides gates', verbs: OPERATOR },
  admin: { description: 'everything', verbs: ADMIN },
  agent: { description: 'a running instance of an agent, limited to itself', verbs: ['agent.work'] },
} as const satisfies Record<string, Role>

export type RoleName = keyof typeof ROLES

/** The verbs of several roles together. */
export function verbsOf(roles: readonly RoleName[]): ReadonlySet<Verb> {
  return new Set(roles.flatMap((role): readonly Verb[] => ROLES[role].verbs))
}

/** The roles that hold a verb, for people who lack it. */
export function rolesWith(verb: Verb): readonly RoleName[] {
  return (Object.keys(ROLES) as RoleName[]).filter((role) => (ROLES[role].verbs as readonly Verb[]).includes(verb))
}
