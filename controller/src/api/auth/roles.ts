import { VERBS, type Verb } from './verbs.ts'

interface Role {
  readonly description: string
  readonly verbs: readonly Verb[]
  /** Other names of the same role. */
  readonly aliases?: readonly string[]
}

const VIEWER = ['read', 'mcp.connect', 'tasks.read', 'proposals.read', 'git.fetch'] as const
const OPERATOR = [
  ...VIEWER,
  'events.emit',
  'artifacts.write',
  'messages.send',
  'messages.read',
  'work.write',
  'costs.write',
  'runs.simulate',
  'runs.start',
  'runs.cancel',
  'runs.retry',
  'runs.rollback',
  'gates.decide',
  'tasks.create',
  'tasks.write',
  'agents.register',
  'agents.spawn',
  'hosts.manage',
  'objects.reconcile',
  'objects.intervene',
  'alerts.write',
  'models.ask',
  'models.speak',
  'breakers.trigger',
  'operations.run',
  'actions.execute',
  'tools.call',
  'proposals.open',
  'proposals.write',
  'kube.write',
  'git.push',
  'secrets.read',
  'fleet.freeze',
  'notifications.write',
] as const
/** Everything but what only a running instance of an agent, or a joined host, may do. */
const ADMIN = (Object.keys(VERBS) as Verb[]).filter((verb) => verb !== 'agent.work' && verb !== 'host.work')
const STEWARD = [
  ...VIEWER,
  'messages.send',
  'messages.read',
  'proposals.open',
  'proposals.write',
  'kube.write',
  'proposals.approve',
  'git.push',
] as const

/** Of messages, what it sent and what it was sent; of proposals, its own; of gates, those that ask for it. */
const AGENT = [
  'agent.work',
  'mcp.connect',
  'gates.decide',
  'agents.register',
  'agents.spawn',
  'tasks.read',
  'tasks.create',
  'tools.call',
  'models.speak',
  'work.write',
  'costs.write',
  'messages.send',
  'messages.read',
  'proposals.read',
  'proposals.open',
  'git.fetch',
  'git.push',
] as const

/** Roles are data: a role is the verbs it lists, and nothing else knows its name. viewer ⊂ operator ⊂ admin. */
export const ROLES = {
  viewer: { description: 'looks', verbs: VIEWER },
  operator: { description: 'looks, starts, stops and repairs, decides gates', verbs: OPERATOR },
  admin: { description: 'everything', verbs: ADMIN },
  founder: { description: 'everything, and the last word on what is proposed', verbs: ADMIN, aliases: ['ceo'] },
  'owner-admin': { description: 'everything in an installation of its own', verbs: ADMIN },
  user: { description: 'looks and starts runs', verbs: [...VIEWER, 'runs.start'] },
  governor: {
    description: 'stops what goes wrong: interventions, breakers, alerts; executes nothing',
    verbs: [
      ...VIEWER,
      'messages.send',
      'messages.read',
      'objects.intervene',
      'alerts.write',
      'breakers.trigger',
      'fleet.freeze',
    ],
  },
  orchestrator: {
    description: 'hands out work: tasks, agents, the work graph, redirections',
    verbs: [
      ...VIEWER,
      'events.emit',
      'messages.send',
      'messages.read',
      'work.write',
      'costs.write',
      'tasks.create',
      'tasks.write',
      'agents.register',
      'agents.spawn',
      'objects.intervene',
      'alerts.write',
    ],
  },
  'rule-steward': { description: 'keeps rules and skills: proposes and approves changes', verbs: STEWARD },
  'prompt-steward': { description: 'keeps prompts: proposes and approves changes', verbs: STEWARD },
  'module-steward': { description: 'keeps modules and model routes: proposes and approves changes', verbs: STEWARD },
  agent: {
    description: 'a running instance of an agent, limited to itself and to work that is its own',
    verbs: AGENT,
  },
  host: { description: 'a joined host, limited to itself', verbs: ['host.work'] },
} as const satisfies Record<string, Role>

export type RoleName = keyof typeof ROLES
export const ROLE_NAMES = Object.keys(ROLES) as readonly RoleName[]

/** The role somebody means: `OwnerAdmin`, `owner_admin` and `owner-admin` are one; null when there is none. */
export function roleNamed(text: string): RoleName | null {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '')
  const wanted = plain(text)
  return ROLE_NAMES.find((name) => [name, ...aliasesOf(name)].some((each) => plain(each) === wanted)) ?? null
}

export function aliasesOf(name: RoleName): readonly string[] {
  return (ROLES[name] as Role).aliases ?? []
}

/** The verbs of several roles together. */
export function verbsOf(roles: readonly RoleName[]): ReadonlySet<Verb> {
  return new Set(roles.flatMap((role): readonly Verb[] => ROLES[role].verbs))
}

/** The roles that hold a verb, for people who lack it. */
export function rolesWith(verb: Verb): readonly RoleName[] {
  return ROLE_NAMES.filter((role) => (ROLES[role].verbs as readonly Verb[]).includes(verb))
}

/** Roles of which each is more than the next: who has one stands for those behind it, too. */
const RANKS: readonly (readonly RoleName[])[] = [
  ['founder', 'admin', 'operator', 'viewer'],
  ['owner-admin', 'admin', 'operator', 'viewer'],
  ['user', 'viewer'],
  ['governor', 'viewer'],
  ['orchestrator', 'viewer'],
  ['rule-steward', 'viewer'],
  ['prompt-steward', 'viewer'],
  ['module-steward', 'viewer'],
]

/** Names a holder of these roles stands for, other names of theirs too; names that are no role of ours stay as they are. */
export function withIncluded(roles: readonly string[]): readonly string[] {
  const all = new Set<string>()
  for (const text of roles) {
    const role = roleNamed(text)
    if (role === null) {
      all.add(text)
      continue
    }
    const included = RANKS.filter((rank) => rank.includes(role)).flatMap((rank) => rank.slice(rank.indexOf(role)))
    for (const name of [role, ...included]) for (const each of [name, ...aliasesOf(name)]) all.add(each)
  }
  return [...all]
}

/** Whoever holds the admin credential of the data folder owns the installation: every role of a person is his. */
export const OWNER_ROLES: readonly string[] = withIncluded(
  ROLE_NAMES.filter((role) => role !== 'agent' && role !== 'host'),
)
