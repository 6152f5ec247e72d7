import type { JsonObject } from '../lib/json.ts'
import { artifactPut } from './artifacts/put.ts'
import { blackboardGet, blackboardSet } from './blackboard/blackboard.ts'
import { fsRead } from './fs/read.ts'
import { fsWrite } from './fs/write.ts'
import { httpCall } from './http/call.ts'
import { processRun } from './process/run.ts'
import type { BuiltinTool } from './tool.ts'

/** The tools that are part of Stateward. */
export const BUILTIN_TOOLS: readonly BuiltinTool[] = [
  artifactPut,
  blackboardGet,
  blackboardSet,
  fsRead,
  fsWrite,
  httpCall,
  processRun,
]

const byName = new Map(
  BUILTIN_TOOLS.flatMap((tool) => [tool.name, ...tool.aliases].map((name) => [name, tool] as const)),
)

/** By name or alias. */
export function findBuiltin(name: string): BuiltinTool | null {
  return byName.get(name) ?? null
}

/** inputSchema of a built-in tool by name or alias, null when there is none: what a plan is checked against. */
export function builtinToolSchema(name: string): JsonObject | null {
  return findBuiltin(name)?.inputSchema ?? null
}

/** Risk of a built-in tool by name or alias, null when there is none. */
export function builtinToolRisk(name: string): BuiltinTool['risk'] | null {
  return findBuiltin(name)?.risk ?? null
}
