import { parseDuration } from '../lib/duration.ts'
import type { JsonObject } from '../lib/json.ts'
import type { DeclaredTool, ToolInfo } from './ports.ts'
import type { BuiltinTool } from './tool.ts'
import { undoerOf } from './undo/undoers.ts'

const DEFAULT_TIMEOUT = '60s'

/** What a name stands for in a namespace. */
export type FoundTool =
  | { readonly is: 'builtin'; readonly info: ToolInfo; readonly tool: BuiltinTool }
  | { readonly is: 'declared'; readonly info: ToolInfo; readonly tool: DeclaredTool }

/** Name or alias of a tool in its namespace; a name wins over an alias. */
function indexOf(declared: readonly DeclaredTool[]): Map<string, FoundTool> {
  const index = new Map<string, FoundTool>()
  const found = declared.map((tool): FoundTool => ({ is: 'declared', tool, info: declaredInfo(tool) }))
  for (const [i, tool] of declared.entries()) {
    for (const alias of tool.spec.aliases ?? []) index.set(`${tool.namespace}/${alias}`, found[i]!)
  }
  for (const [i, tool] of declared.entries()) index.set(`${tool.namespace}/${tool.name}`, found[i]!)
  return index
}

/** Finds tools by name or alias: those declared in the namespace first, then the built-in ones. */
export class ToolLookup {
  readonly #builtins: ReadonlyMap<string, FoundTool>
  readonly #declared: () => readonly DeclaredTool[]
  #indexed: { readonly of: readonly DeclaredTool[]; readonly index: Map<string, FoundTool> } | null = null

  constructor(builtins: readonly BuiltinTool[], declared: () => readonly DeclaredTool[]) {
    this.#builtins = new Map(
      builtins.flatMap((tool) => {
        const found: FoundTool = { is: 'builtin', tool, info: builtinInfo(tool) }
        return [tool.name, ...tool.aliases].map((name) => [name, found] as const)
      }),
    )
    this.#declared = declared
  }

  find(name: string, namespace: string): FoundTool | null {
    return this.#index().get(`${namespace}/${name}`) ?? this.#builtins.get(name) ?? null
  }

  /** By name. */
  all(namespace: string): readonly FoundTool[] {
    const own = this.#declared().flatMap((tool) =>
      tool.namespace === namespace ? [[tool.name, this.find(tool.name, namespace)!] as const] : [],
    )
    const builtin = [...this.#builtins.values()].map((found) => [found.info.name, found] as const)
    return [...new Map([...builtin, ...own])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found)
  }

  /** A list of another identity is another list: whoever gives it makes a new one when something changed. */
  #index(): Map<string, FoundTool> {
    const of = this.#declared()
    if (this.#indexed?.of !== of) this.#indexed = { of, index: indexOf(of) }
    return this.#indexed.index
  }
}

function declaredInfo({ name, spec }: DeclaredTool): ToolInfo {
  return {
    name,
    idempotent: spec.idempotent ?? false,
    leavesNothing: spec.sideEffects === 'none',
    withoutEffects: spec.sideEffects === 'none' && spec.idempotent === true && !(spec.cost?.estimatedCents ?? 0),
    inputSchema: (spec.inputSchema ?? {}) as JsonObject,
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    risk: spec.risk ?? 'medium',
    sideEffects: spec.sideEffects ?? 'irreversible',
    permissions: spec.permissions ?? [],
    ...spec.cost,
    ...(spec.undo === undefined ? {} : { isUndoable: true }),
    ...(spec.rehearsal === true ? { isRehearsal: true } : {}),
  }
}

function builtinInfo(tool: BuiltinTool): ToolInfo {
  const { name, idempotent, idempotentFor, sideEffects, usesWorkspace, inputSchema, inRun, risk, cost, paysItself } =
    tool
  return {
    name,
    idempotent,
    leavesNothing: sideEffects === 'none',
    withoutEffects: sideEffects === 'none' && idempotent,
    ...(idempotentFor === undefined ? {} : { idempotentFor }),
    ...(usesWorkspace === undefined ? {} : { usesWorkspace }),
    inputSchema,
    ...(inRun === undefined ? {} : { inRun }),
    timeoutMs: parseDuration(tool.timeout),
    risk,
    sideEffects,
    permissions: tool.permissions ?? [name],
    ...(paysItself === undefined ? {} : { paysItself }),
    ...(undoerOf(name) === null ? {} : { isUndoable: true }),
    ...cost,
  }
}
