import type { Static } from 'typebox'
import { choice, commonFields, integer, list, object, optionalAll, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

/** What a page can be made of. */
const WIDGETS = ['sync', 'health', 'drift', 'waiting', 'runs', 'agents', 'hosts', 'spend', 'alerts', 'queue'] as const
const GRID_COLUMNS = 12

const widget = object(
  {
    type: choice(WIDGETS, {
      description:
        'What it shows: sync (commits wanted and applied), health (objects by kind), drift, waiting (what waits for a person), runs, agents, hosts, spend (budgets and what was spent), alerts, queue (what is queued, and what was recovered).',
    }),
    x: integer({ description: 'Column it begins at, from the left.', minimum: 0, maximum: GRID_COLUMNS - 1 }),
    y: integer({ description: 'Row it begins at, from the top.', minimum: 0, maximum: 99 }),
    w: integer({ description: 'Columns it is wide, of twelve.', minimum: 1, maximum: GRID_COLUMNS }),
    h: integer({ description: 'Rows it is high at least.', minimum: 1, maximum: 20 }),
    ...optionalAll({ title: text({ description: 'Its heading; left out: what it shows.', maxLength: 80 }) }),
  },
  { description: 'One part of the page and its place in a grid of twelve columns.' },
)

export const dashboardSpec = object(
  {
    widgets: list(widget, {
      description: 'Parts of the page. On narrow screens they stand below each other, by row and column.',
      minItems: 1,
      maxItems: 40,
    }),
    ...optionalAll({
      title: text({ description: 'Heading of the page; left out: its name.', maxLength: 80 }),
      ...commonFields,
    }),
  },
  { description: 'A page of widgets as it is wanted.' },
)

/** A Dashboard's spec as written. */
export type DashboardSpec = Static<typeof dashboardSpec>

export const dashboardStatus = statusOf({})
