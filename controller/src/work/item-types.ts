import Type from 'typebox'
import { done, dropped, fields, type ItemType, open } from './item-type.ts'

const Words = (description: string) => Type.String({ maxLength: 4000, description })
const Short = (description: string) => Type.String({ minLength: 1, maxLength: 253, description })
const Instant = (description: string) => Type.String({ format: 'date-time', maxLength: 40, description })
const Level = Type.Enum(['low', 'medium', 'high', 'critical'], { description: 'how much it matters' })
const Places = (description: string) => Type.Array(Short('one'), { maxItems: 50, description })

const CONTAINERS = ['topic', 'sprint', 'ticket', 'task', 'research']
const ANYTHING = [...CONTAINERS, 'activity', 'session', 'escalation', 'evaluation', 'reflection', 'improvement']
/** What was said once and stays. */
const RECORD = { recorded: done('superseded'), superseded: dropped() }

/** Every kind of work item, from the whole to the part and then to what is said about work. */
export const ITEM_TYPES: readonly ItemType[] = [
  {
    name: 'topic',
    plural: 'topics',
    description: 'Something to work on over time.',
    states: { open: open('closed', 'dropped'), closed: done('open'), dropped: dropped('open') },
    parents: ['topic'],
    fields: fields({ goal: Words('what it is to lead to') }),
    isRecord: false,
    isForAgents: false,
  },
  {
    name: 'sprint',
    plural: 'sprints',
    description: 'What is to be done between two days.',
    states: {
      planned: open('active', 'cancelled'),
      active: open('completed', 'cancelled'),
      completed: done(),
      cancelled: dropped(),
    },
    parents: ['topic'],
    fields: fields({
      goal: Words('what it is to lead to'),
      starts_at: Instant('its first moment'),
      ends_at: Instant('its last moment'),
    }),
    isRecord: false,
    isForAgents: false,
  },
  {
    name: 'ticket',
    plural: 'tickets',
    description: 'Something that somebody wants or that is wrong.',
    states: {
      open: { ...open('in_progress', 'blocked', 'resolved', 'cancelled'), onAssign: 'in_progress' },
      in_progress: { ...open('open', 'blocked', 'resolved', 'cancelled'), needsDependencies: true },
      blocked: open('open', 'in_progress', 'cancelled'),
      resolved: done('closed', 'open'),
      closed: done('open'),
      cancelled: dropped('open'),
    },
    parents: ['topic', 'sprint', 'ticket'],
    fields: fields({
      kind: Type.Enum(['bug', 'feature', 'chore', 'question'], { description: 'what sort of ticket it is' }),
      severity: Level,
      resolution: Words('how it was resolved'),
      reference: Short('what it is called elsewhere'),
    }),
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'task',
    plural: 'tasks',
    description: 'One piece of work that one agent or person does.',
    states: {
      todo: { ...open('assigned', 'in_progress', 'blocked', 'cancelled'), onAssign: 'assigned' },
      assigned: open('todo', 'in_progress', 'blocked', 'cancelled'),
      in_progress: { ...open('assigned', 'blocked', 'done', 'failed', 'cancelled'), needsDependencies: true },
      blocked: open('todo', 'assigned', 'in_progress', 'cancelled'),
      done: done(),
      failed: dropped('todo'),
      cancelled: dropped('todo'),
    },
    parents: CONTAINERS,
    fields: fields({
      acceptance: Words('how one sees that it is done'),
      expected_rows: Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'rows it is expected to touch' }),
      result: Words('what came of it'),
    }),
    byAgents: {
      running: 'in_progress',
      completed: 'done',
      failed: 'failed',
      cancelled: 'assigned',
      result: 'result',
    },
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'research',
    plural: 'research',
    description: 'A question that somebody looks into.',
    states: {
      open: { ...open('in_progress', 'cancelled'), onAssign: 'in_progress' },
      in_progress: { ...open('open', 'answered', 'cancelled'), needsDependencies: true },
      answered: done('open'),
      cancelled: dropped('open'),
    },
    parents: CONTAINERS,
    fields: fields({
      question: Words('what is asked'),
      findings: Words('what was found'),
      sources: Places('where it was found'),
    }),
    byAgents: {
      running: 'in_progress',
      completed: 'answered',
      failed: 'open',
      cancelled: 'open',
      result: 'findings',
    },
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'activity',
    plural: 'activities',
    description: 'Something somebody did for a while.',
    states: { running: open('completed', 'failed'), completed: done(), failed: dropped() },
    parents: ['ticket', 'task', 'research', 'session'],
    fields: fields({
      kind: Short('what sort of activity it was'),
      outcome: Words('what came of it'),
      started_at: Instant('when it began'),
      ended_at: Instant('when it ended'),
    }),
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'session',
    plural: 'sessions',
    description: 'A time in which an agent or a person worked, with what they had at hand.',
    states: { active: open('idle', 'ended'), idle: open('active', 'ended'), ended: done() },
    parents: CONTAINERS,
    fields: fields({
      agent: Short('whose session it is'),
      host: Short('where'),
      surface: Short('terminal, chat, editor …'),
      context: Words('what it began with'),
    }),
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'escalation',
    plural: 'escalations',
    description: 'Something that who is at it cannot settle alone.',
    states: {
      open: { ...open('acknowledged', 'resolved', 'dismissed'), onAssign: 'acknowledged' },
      acknowledged: open('open', 'resolved', 'dismissed'),
      resolved: done('open'),
      dismissed: dropped('open'),
    },
    parents: ANYTHING,
    fields: fields({
      severity: Level,
      question: Words('what has to be settled'),
      to: Short('the role or the person it goes to'),
      resolution: Words('how it was settled'),
    }),
    isRecord: false,
    isForAgents: true,
  },
  {
    name: 'human_decision',
    plural: 'human-decisions',
    description: 'What a person decided, and why.',
    states: RECORD,
    parents: ANYTHING,
    fields: fields({
      question: Words('what was to be decided'),
      decision: Words('what was decided'),
      rationale: Words('why'),
      options: Places('what could have been decided'),
    }),
    isRecord: true,
    isForAgents: false,
  },
  {
    name: 'evaluation',
    plural: 'evaluations',
    description: 'How good something was, by some measure.',
    states: RECORD,
    parents: ANYTHING,
    fields: fields({
      subject: Short('what was looked at'),
      measure: Short('by what'),
      score: Type.Number({ minimum: -1e9, maximum: 1e9, description: 'how much of it' }),
      verdict: Type.Enum(['pass', 'fail', 'mixed'], { description: 'what that means' }),
    }),
    isRecord: true,
    isForAgents: true,
  },
  {
    name: 'reflection',
    plural: 'reflections',
    description: 'What somebody learned from work that was done.',
    states: RECORD,
    parents: ANYTHING,
    fields: fields({ observation: Words('what was seen'), lesson: Words('what follows from it') }),
    isRecord: true,
    isForAgents: true,
  },
  {
    name: 'improvement',
    plural: 'improvements',
    description: 'A change somebody would make so that work goes better.',
    states: {
      proposed: open('accepted', 'rejected'),
      accepted: open('applied', 'rejected'),
      applied: done(),
      rejected: dropped('proposed'),
    },
    parents: ANYTHING,
    fields: fields({
      proposal: Words('what would be changed'),
      expected_effect: Words('what it would do'),
      branch: Short('where the change is proposed'),
      commit: Short('the commit that made it'),
    }),
    isRecord: false,
    isForAgents: true,
  },
]

const byName = new Map(ITEM_TYPES.map((type) => [type.name, type]))

export const ITEM_TYPE_NAMES: readonly string[] = ITEM_TYPES.map(({ name }) => name)

/** Throws for a name that no row and no request can have. */
export function itemType(name: string): ItemType {
  const type = byName.get(name)
  if (type === undefined) throw new RangeError(`there is no type of work items "${name}"`)
  return type
}

export const ITEM_STATES: readonly string[] = [...new Set(ITEM_TYPES.flatMap(({ states }) => Object.keys(states)))]

/** How items relate beside being part of each other. */
export const RELATIONS = {
  depends_on: 'may not start before the other is done; such edges never form a circle',
  relates_to: 'has to do with the other',
  duplicates: 'says the same as the other',
  caused_by: 'came of the other',
  resolves: 'settles the other',
  about: 'says something about the other',
  supersedes: 'is said instead of the other',
} as const
export type Relation = keyof typeof RELATIONS
export const RELATION_NAMES = Object.keys(RELATIONS) as readonly Relation[]
