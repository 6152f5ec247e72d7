import Type, { type Static } from 'typebox'
import {
  choice,
  commonFields,
  duration,
  flag,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  stringMap,
  text,
  time,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

/** What is measured of each kind of target. */
export const BREAKER_METRICS = {
  Agent: ['failures', 'errorRate', 'tokens', 'costCents', 'toolCalls', 'restarts', 'stepsPerMinute', 'repeatedCalls'],
  Tool: ['failures', 'errorRate', 'costCents', 'toolCalls', 'repeatedCalls'],
} as const
export type BreakerMetric = (typeof BREAKER_METRICS)['Agent'][number]

const selector = object(
  {
    kind: choice(['Agent', 'Tool'], { description: 'Kind of the targets, of the same namespace.' }),
    ...optionalAll({
      name: objectName('One target; left out, all that have the labels.'),
      matchLabels: stringMap({ description: 'Labels that a target has to have.', maxProperties: 20, maxLength: 63 }),
    }),
  },
  { description: 'What it is on: each target is measured and broken off by itself.' },
)

export const breakerSpec = object(
  {
    selector,
    metric: choice(BREAKER_METRICS.Agent, {
      description:
        'What is measured in the window. failures: tasks, or calls, that failed. errorRate: percent of them, of at least 5. tokens, costCents: what the ledger says. toolCalls: calls of tools by runs that the agent started. restarts: of its processes. stepsPerMinute: steps of such runs. repeatedCalls: how often the same call with the same input was made, the loop of a runaway.',
    }),
    threshold: integer({
      description: 'It opens when the metric is that much or more.',
      minimum: 1,
      maximum: 1_000_000_000,
    }),
    window: duration({ description: 'Time that is looked back.', min: '10s', max: '24h' }),
    ...optionalAll({
      action: choice(['pause', 'terminate', 'throttle', 'notify'], {
        description:
          'What happens to the target while it is open. pause: no tasks for the agent, no calls of the tool. terminate: the same, and the processes of the agent end. throttle: one task at a time. notify: an alert, nothing else. A tool can be paused, or told of.',
        default: 'pause',
      }),
      cooldown: duration({
        description: 'Time after which one task, or one call, is let through to try: its success closes the breaker.',
        default: '10m',
        min: '1s',
        max: '24h',
      }),
      manualReset: flag({ description: 'Whether only a reset closes it: nothing is tried.', default: false }),
      ...commonFields,
    }),
  },
  { description: 'A breaker as it is wanted.' },
)

/** A Breaker's spec as written. */
export type BreakerSpec = Static<typeof breakerSpec>

const target = Type.Object(
  {
    kind: text({ description: 'Kind of the target.' }),
    name: text({ description: 'Its name.' }),
    state: text({ description: 'open or half_open.' }),
    reason: text({ description: 'Why it was opened.' }),
    openedAt: time('When.'),
    probeAt: Type.Optional(time('When one is let through to try.')),
  },
  { description: 'A target that is broken off.' },
)

export const breakerStatus = statusOf({
  state: Type.Optional(
    choice(['closed', 'open', 'half_open'], { description: 'The worst of its targets: open, half_open, closed.' }),
  ),
  targets: Type.Optional(
    list(target, { description: 'Targets that are broken off.', maxItems: 100, unique: ['kind', 'name'] }),
  ),
  watched: Type.Optional(integer({ description: 'Targets that it is on.', minimum: 0, maximum: 1_000_000 })),
  trips: Type.Optional(integer({ description: 'How often it opened.', minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
})
