import type { Route } from '../../http/route.ts'
import { listServices, readService } from './list-services.ts'
import { runService } from './run-service.ts'

/** Operations: what is declared to be done again and again. */
export const SERVICE_ROUTES: readonly Route[] = [listServices, readService, runService]
