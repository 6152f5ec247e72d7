import type { Route } from '../../http/route.ts'
import { lockTools } from './lock-tools.ts'
import { beginMcpLogin, finishMcpLogin } from './login.ts'

export const MCP_SERVER_ROUTES: readonly Route[] = [lockTools, beginMcpLogin, finishMcpLogin]
