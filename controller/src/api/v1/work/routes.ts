import { ITEM_TYPES } from '../../../work/item-types.ts'
import type { Route } from '../../http/route.ts'
import { assignWorkItem, changeWorkItem, moveWorkItem } from './change-item.ts'
import { createRouteOf, createWorkItem } from './create-item.ts'
import { linkWorkItem, unlinkWorkItem } from './link-items.ts'
import { listRouteOf, listWorkItems } from './list-items.ts'
import { listWorkItemTypes } from './list-types.ts'
import { readWorkItem } from './read-item.ts'
import { startWorkItem } from './start-item.ts'

/** Tasks at `/tasks` are what agents have in their queues; those of the work graph are found with `type=task`. */
const AT_THEIR_PLURAL = ITEM_TYPES.filter(({ name }) => name !== 'task')

/** The work graph: one set of routes for items of every type, and a list and a way to make one at the plural of each. */
export const WORK_ROUTES: readonly Route[] = [
  listWorkItems,
  createWorkItem,
  listWorkItemTypes,
  readWorkItem,
  changeWorkItem,
  moveWorkItem,
  assignWorkItem,
  startWorkItem,
  linkWorkItem,
  unlinkWorkItem,
  ...AT_THEIR_PLURAL.flatMap((type) => [listRouteOf(type), createRouteOf(type)]),
]
