import type { Static } from 'typebox'
import { choice, commonFields, integer, list, object, objectName, optionalAll, usd } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const scopeRef = object(
  {
    kind: choice(['Environment', 'Project', 'Agent', 'Blueprint', 'ModelProvider'], {
      description: 'Kind of the object.',
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
        description: 'Time after which spending counts from 0 again.',
        default: 'month',
      }),
      alertThresholdPercent: list(integer({ description: 'Percent of maxUsd.', minimum: 1, maximum: 100 }), {
        description: 'Shares at which an alert is sent.',
        maxItems: 10,
        unique: 'set',
      }),
      action: choice(['Alert', 'Throttle', 'Pause', 'Kill'], {
        description: 'What happens when it is used up.',
        default: 'Pause',
      }),
      ...commonFields,
    }),
  },
  { description: 'A budget as it is wanted.' },
)

/** A Budget's spec as written. */
export type BudgetSpec = Static<typeof budgetSpec>

export const budgetStatus = statusOf({})
