import type { Route } from '../../http/route.ts'
import { reconcileObject } from './reconcile.ts'
import { resumeObject, suspendObject } from './suspend-object.ts'
import { whyObject } from './why-object.ts'

/** Verbs on declared objects. Overrides act at once; the commit follows as a proposal. */
export const OBJECT_ROUTES: readonly Route[] = [reconcileObject, suspendObject, resumeObject, whyObject]
