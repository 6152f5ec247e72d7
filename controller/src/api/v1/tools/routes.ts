import type { Route } from '../../http/route.ts'
import { listTools, readTool } from './read-tools.ts'
import { approveToolCall, callTool, listToolCalls, readToolCall, rejectToolCall } from './tool-calls.ts'

/** Tools, and calls of them outside of steps. */
export const TOOL_ROUTES: readonly Route[] = [
  listTools,
  readTool,
  callTool,
  listToolCalls,
  readToolCall,
  approveToolCall,
  rejectToolCall,
]
