import type { ToolSpec } from '../kinds/tool/tool.schema.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Invocation, ToolDependencies } from './ports.ts'

/** A tool that is part of Stateward: what a Tool object would say of it, and what it does. */
export interface BuiltinTool {
  readonly name: string
  readonly aliases: readonly string[]
  readonly description: string
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
  readonly risk: NonNullable<ToolSpec['risk']>
  readonly sideEffects: NonNullable<ToolSpec['sideEffects']>
  /** Whether repeating any call is harmless; `idempotentFor` says it for one call where that differs. */
  readonly idempotent: boolean
  readonly idempotentFor?: (parameters: JsonObject) => boolean
  /** False = it neither reads nor writes the run's folder. Default true. */
  readonly usesWorkspace?: boolean
  /** It reaches out: nothing of it happens where the environment lets nothing out. Default: false. */
  readonly outbound?: boolean
  /** It works on the run that calls it, and is done by whoever moves the run: `run` is never called for a step. */
  readonly inRun?: boolean
  /** What an agent's capabilities have to cover. Default: the name of the tool. */
  readonly permissions?: readonly string[]
  /** How often a process of any kind may call it; more wait for the next window. Default: as often as it likes. */
  readonly rateLimit?: { readonly calls: number; readonly per: string }
  /** What a call costs and how long it takes, for who plans one. */
  readonly cost: Required<NonNullable<ToolSpec['cost']>>
  /** What a call costs is charged by the tool itself: its declared cost is an estimate and nothing else. */
  readonly paysItself?: boolean
  /** As in manifests: `60s`. */
  readonly timeout: string
  /** Throws a StatewardError of the catalogue; anything else it throws becomes SW_TOOL_FAILED. */
  readonly run: (call: Invocation, dependencies: ToolDependencies) => Promise<Json>
}
