import type { EventName } from '../events/catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { Severity } from '../store/queries/alerts.ts'

/** An event as rules see it. */
export interface RuledEvent {
  readonly name: string
  readonly env: string
  readonly actor: string
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: JsonObject
}

/** What a rule makes of an event. */
export type Verdict =
  | {
      readonly type: 'raise'
      readonly key: string
      readonly namespace: string
      readonly agent: string | null
      readonly severity: Severity
      readonly title: string
      readonly message: string
    }
  /** What the alert of this key says is over. */
  | { readonly type: 'resolve'; readonly key: string; readonly why: string }

interface Rule {
  readonly name: string
  /** One sentence, for the reference page. */
  readonly description: string
  readonly events: readonly EventName[]
  readonly judge: (event: RuledEvent) => Verdict | null
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reasons of `Ready=False` that time alone does not cure. */
const BROKEN: Readonly<Record<string, Severity>> = {
  CrashLoop: 'critical',
  HeartbeatMissed: 'critical',
  Failed: 'warning',
  CommandNotFound: 'warning',
  SecretMissing: 'warning',
  ValidationFailed: 'warning',
  ReferenceNotFound: 'warning',
  DependencyCycle: 'warning',
  NoHost: 'warning',
  Unreachable: 'warning',
  Quarantined: 'critical',
}

/** What raises an alert by itself, and what resolves it. Pure; the log is read for nothing but these events. */
export const RULES: readonly Rule[] = [
  {
    name: 'intervention-in-force',
    description: 'An intervention without an end is in force; resolved when it is resumed, replaced or merged.',
    events: ['stateward.intervention.issued', 'stateward.intervention.ended'],
    judge({ name, actor, data }) {
      const key = `intervention/${text(data['intervention_id'])}`
      if (name === 'stateward.intervention.ended') return { type: 'resolve', key, why: text(data['why']) }
      if (data['in_force'] !== true || data['expires_at'] !== null || data['action'] === 'resume') return null
      const { namespace, agent, action } = placeOf(data)
      return {
        type: 'raise',
        key,
        namespace,
        agent,
        severity: 'warning',
        title: `agent ${agent}: ${action} is in force`,
        message: `${actor}: ${text(data['reason'])}. It holds until it is resumed or merged.`,
      }
    },
  },
  {
    name: 'intervention-rejected',
    description: 'An agent will not do as an intervention says; resolved when the intervention is over.',
    events: ['stateward.intervention.rejected', 'stateward.intervention.ended'],
    judge({ name, actor, data }) {
      const key = `intervention-rejected/${text(data['intervention_id'])}`
      if (name === 'stateward.intervention.ended') return { type: 'resolve', key, why: text(data['why']) }
      const { namespace, agent, action } = placeOf(data)
      return {
        type: 'raise',
        key,
        namespace,
        agent,
        severity: 'critical',
        title: `agent ${agent} rejected ${action}`,
        message: text(data['detail']) === '' ? `${actor} gave no reason` : text(data['detail']),
      }
    },
  },
  {
    name: 'object-broken',
    description:
      'An object is not Ready for a reason that time does not cure, as its condition says; resolved when that is over.',
    events: ['stateward.object.status_changed', 'stateward.object.deleted'],
    judge({ name, resource, data }) {
      const key = `object/${resource?.id ?? ''}`
      if (name === 'stateward.object.deleted') return { type: 'resolve', key, why: 'it is gone' }
      const reason = text(data['reason'])
      const severity = data['ready'] === 'False' ? BROKEN[reason] : undefined
      if (severity === undefined) return { type: 'resolve', key, why: `Ready=${text(data['ready'])} ${reason}` }
      const kind = resource?.type ?? ''
      return {
        type: 'raise',
        key,
        namespace: text(data['namespace']) || 'default',
        agent: kind === 'Agent' ? text(data['name']) : null,
        severity,
        title: `${kind} ${text(data['name'])}: ${reason}`,
        message: text(data['message']),
      }
    },
  },
  {
    name: 'breaker-open',
    description: 'A breaker is open; resolved when it closes.',
    events: ['stateward.breaker.opened', 'stateward.breaker.closed'],
    judge({ name, resource, data }) {
      const key = `breaker/${resource?.id ?? ''}`
      if (name === 'stateward.breaker.closed') return { type: 'resolve', key, why: 'it is closed' }
      return {
        type: 'raise',
        key,
        namespace: text(data['namespace']),
        agent: data['kind'] === 'Agent' ? text(data['name']) : null,
        severity: 'critical',
        title: `breaker ${text(data['breaker'])} is open`,
        message: text(data['reason']),
      }
    },
  },
  {
    name: 'local-ratio',
    description: 'Fewer calls of a ModelRoute are local than its target says; resolved when as many are.',
    events: ['stateward.model.target.missed', 'stateward.model.target.met'],
    judge({ name, data }) {
      const key = `local-ratio/${text(data['namespace'])}/${text(data['route'])}`
      if (name === 'stateward.model.target.met') return { type: 'resolve', key, why: 'its target is met' }
      return {
        type: 'raise',
        key,
        namespace: text(data['namespace']),
        agent: null,
        severity: 'warning',
        title: `route ${text(data['route'])} asks too few local providers`,
        message: text(data['message']),
      }
    },
  },
  {
    name: 'budget-threshold',
    description: 'More of a budget is used than a threshold; resolved when its window is over, or it was changed.',
    events: [
      'stateward.budget.threshold_reached',
      'stateward.budget.eased',
      'stateward.budget.changed',
      'stateward.budget.closed',
    ],
    judge({ name, data }) {
      const key = `budget-threshold/${text(data['account'])}`
      if (name === 'stateward.budget.eased' && data['why'] !== 'window') return null
      if (name !== 'stateward.budget.threshold_reached') return { type: 'resolve', key, why: budgetNow(data) }
      const percent = Number(data['percent'])
      return {
        type: 'raise',
        key,
        ...budgetPlace(data),
        severity: percent >= 95 ? 'critical' : 'warning',
        title: `budget ${text(data['budget'])}: over ${percent} %`,
        message: budgetNow(data),
      }
    },
  },
  {
    name: 'budget-exhausted',
    description: 'A budget is used up, or has too little for what waits; resolved when there is more.',
    events: ['stateward.budget.exhausted', 'stateward.budget.eased', 'stateward.budget.closed'],
    judge({ name, data }) {
      const key = `budget/${text(data['account'])}`
      if (name !== 'stateward.budget.exhausted') return { type: 'resolve', key, why: budgetNow(data) }
      // A run that reaches its own limit fails, and that says it.
      if (isObject(data['scope']) && data['scope']['kind'] === 'Run') return null
      return {
        type: 'raise',
        key,
        ...budgetPlace(data),
        severity: 'critical',
        title: `budget ${text(data['budget'])} is used up`,
        message: budgetNow(data),
      }
    },
  },
  {
    name: 'escalation',
    description: 'Somebody asks for help: an escalation of the work graph; resolved when it is settled or dismissed.',
    events: ['stateward.work.created', 'stateward.work.moved'],
    judge({ name, actor, resource, data }) {
      if (data['type'] !== 'escalation') return null
      const key = `escalation/${resource?.id ?? ''}`
      if (name === 'stateward.work.moved')
        return ['resolved', 'dismissed'].includes(text(data['to']))
          ? { type: 'resolve', key, why: text(data['to']) }
          : null
      const fields = isObject(data['fields']) ? data['fields'] : {}
      return {
        type: 'raise',
        key,
        namespace: text(data['namespace']),
        agent: actor.startsWith('agent:') ? (actor.split('/')[1] ?? null) : null,
        severity: ['high', 'critical'].includes(text(fields['severity'])) ? 'critical' : 'warning',
        title: `escalation ${text(data['name'])}: ${text(data['title'])}`.slice(0, 253),
        message: text(fields['question']) || text(data['description']),
      }
    },
  },
  {
    name: 'anomaly',
    description: 'A run, a step or an environment was labelled `anomaly`; resolved by hand.',
    events: ['stateward.impression.recorded'],
    judge({ env, actor, resource, data }) {
      if (data['label'] !== 'anomaly' || data['value'] === false || data['value'] === null) return null
      const about = `${resource?.type ?? 'Environment'} ${resource?.id ?? env}`
      return {
        type: 'raise',
        key: `anomaly/${about}`,
        namespace: env,
        agent: null,
        severity: 'warning',
        title: `${about}: anomaly`,
        message: `${actor} says so; the impression holds what it is based on`,
      }
    },
  },
  {
    name: 'message-given-up',
    description: 'A message was handed out in vain, or nobody took it in time; resolved when it is handed out again.',
    events: ['stateward.message.dead_lettered', 'stateward.message.redelivered'],
    judge({ name, resource, data }) {
      const key = `message/${resource?.id ?? ''}`
      if (name === 'stateward.message.redelivered') return { type: 'resolve', key, why: 'it is handed out again' }
      const agent = text(data['agent'])
      return {
        type: 'raise',
        key,
        namespace: text(data['namespace']),
        agent: agent === '' ? null : agent,
        severity: 'warning',
        title: `a message from ${text(data['from'])} was given up: ${text(data['reason'])}`,
        message: `\`stateward messages show ${resource?.id ?? ''}\` shows it, \`redeliver\` hands it out again`,
      }
    },
  },
  {
    name: 'history-rewritten',
    description: 'The protected branch was moved to a commit that does not follow from the last one.',
    events: ['stateward.source.history_rewritten'],
    judge: ({ data }) => ({
      type: 'raise',
      key: `history/${text(data['source'])}`,
      namespace: 'default',
      agent: null,
      severity: 'critical',
      title: `source ${text(data['source'])}: its history was rewritten`,
      message: `it went from ${text(data['from'])} to ${text(data['revision'])}`,
    }),
  },
]

/** All that any rule listens to. */
export const RULED_EVENTS: readonly EventName[] = [...new Set(RULES.flatMap(({ events }) => events))]

/** What the rules make of an event, each with the name of its rule. */
export function judge(event: RuledEvent): { readonly rule: string; readonly verdict: Verdict }[] {
  return RULES.flatMap((rule) => {
    const verdict = (rule.events as readonly string[]).includes(event.name) ? rule.judge(event) : null
    return verdict === null ? [] : [{ rule: rule.name, verdict }]
  })
}

function placeOf(data: JsonObject) {
  return { namespace: text(data['namespace']), agent: text(data['agent']), action: text(data['action']) }
}

function budgetPlace(data: JsonObject) {
  const scope = isObject(data['scope']) ? data['scope'] : {}
  const agent = scope['kind'] === 'Agent' ? text(scope['name']) : null
  return { namespace: text(data['namespace']) || 'default', agent }
}

function budgetNow(data: JsonObject): string {
  const scope = isObject(data['scope']) ? data['scope'] : {}
  return `${text(data['used_usd'])} of ${text(data['max_usd'])} USD are used by ${text(scope['kind'])} ${text(scope['name'])}`
}
