import Type, { type Static } from 'typebox'
import {
  choice,
  commonFields,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  text,
  time,
  usd,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const scopeRef = object(
  {
    kind: choice(['Environment', 'Project', 'Agent', 'Blueprint', 'ModelProvider'], {
      description:
        'Kind of the object: an Environment limits its namespace; an Agent itself and all agents below it; a ModelProvider what is reported for it, by the month.',
    }),
    name: objectName('Name of the object.'),
  },
  { description: 'Whose spending it limits.' },
)

export const budgetSpec = object(
  {
    scopeRef,
    maxUsd: usd({ description: 'US dollars that may be spent in one window; 0 is none.' }),
    ...optionalAll({
      window: choice(['hour', 'day', 'week', 'month'], {
        description:
          'Time after which spending counts from 0 again: an hour, a day, a week from Monday on, or a month of the calendar, in UTC.',
        default: 'month',
      }),
      alertThresholdPercent: list(integer({ description: 'Percent of maxUsd.', minimum: 1, maximum: 100 }), {
        description: 'Shares of maxUsd; an alert is raised when more is used.',
        maxItems: 10,
        unique: 'set',
        default: [80, 95],
      }),
      action: choice(['Alert', 'Throttle', 'Pause', 'Kill'], {
        description:
          'What happens when it is used up. Alert: an alert, nothing else. Pause: what costs something waits, until a new window or a higher maxUsd. Throttle: as Pause, and from the first threshold on what is left is spread over the rest of the window. Kill: what asks for more fails, and open runs that spend of it are cancelled.',
        default: 'Pause',
      }),
      ...commonFields,
    }),
  },
  { description: 'A budget as it is wanted.' },
)

/** A Budget's spec as written. */
export type BudgetSpec = Static<typeof budgetSpec>

const amount = (description: string) => Type.Optional(text({ description, maxLength: 30 }))

export const budgetStatus = statusOf({
  used: amount('US dollars that were spent in this window.'),
  reserved: amount('US dollars that are kept for what has not ended.'),
  remaining: amount('US dollars that are neither used nor reserved.'),
  forecast: amount('US dollars that the window will have cost when it ends, at the pace of the last 7 days.'),
  lastDays: Type.Optional(
    object(
      {
        until: time('The midnight, in UTC, until which it counts.'),
        days: integer({ description: 'Of so many days.', minimum: 1, maximum: 366 }),
        spent: text({ description: 'US dollars.', maxLength: 30 }),
        ...optionalAll({
          inputTokens: integer({
            description: 'Tokens that models read, as far as they said.',
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
          }),
          outputTokens: integer({
            description: 'Tokens that models wrote.',
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
          }),
        }),
      },
      { description: 'What was spent in the last whole days: the pace that forecasts go by. It moves once a day.' },
    ),
  ),
  windowStart: Type.Optional(time('When this window began.')),
  windowEnd: Type.Optional(time('When the next one begins.')),
  proposal: Type.Optional(text({ description: 'Branch on which a higher maxUsd is proposed.', maxLength: 255 })),
})
