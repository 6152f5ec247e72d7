import type { Route } from '../../http/route.ts'
import { listObjects } from './list-objects.ts'
import { listObjectHistory } from './object-history.ts'
import { readObject } from './read-object.ts'
import { reconcileObject } from './reconcile.ts'
import { resumeObject, suspendObject } from './suspend-object.ts'
import { whyObject } from './why-object.ts'

/** Declared objects of all kinds, and verbs on them. Overrides act at once; the commit follows as a proposal. */
export const OBJECT_ROUTES: readonly Route[] = [
  listObjects,
  readObject,
  listObjectHistory,
  reconcileObject,
  suspendObject,
  resumeObject,
  whyObject,
]
