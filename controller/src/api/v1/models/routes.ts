import type { Route } from '../../http/route.ts'
import {
  askModelRoute,
  listModelCalls,
  listModels,
  readModelCall,
  readModelProvider,
  routeModel,
  testModelProvider,
} from './model-routes.ts'

/** Models: who offers them, who is asked, and what became of each call. */
export const MODEL_ROUTES: readonly Route[] = [
  listModels,
  readModelProvider,
  testModelProvider,
  routeModel,
  askModelRoute,
  listModelCalls,
  readModelCall,
]
