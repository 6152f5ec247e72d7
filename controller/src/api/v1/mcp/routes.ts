import type { Route } from '../../http/route.ts'
import { lockTools } from './lock-tools.ts'

export const MCP_SERVER_ROUTES: readonly Route[] = [lockTools]
