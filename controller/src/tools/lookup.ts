import { parseDuration } from '../lib/duration.ts'
import type { JsonObject } from '../lib/json.ts'
import type { DeclaredTool, ToolInfo } from './ports.ts'
import type { BuiltinTool } from './tool.ts'

const DEFAULT_TIMEOUT = '60s'

/** What a name stands for in a namespace. */
export type FoundTool =
  | { readonly is: 'builtin'; readonly info: ToolInfo; readonly tool: BuiltinTool }
  | { readonly is: 'declared'; readonly info: ToolInfo; readonly tool: DeclaredTool }

/** Name or alias of a tool in its namespace; a name wins over an alias. */
function indexOf(declared: readonly DeclaredTool[]): Map<string, DeclaredTool> {
  const index = new Map<string, DeclaredTool>()
  for (const tool of declared) {
    for (const alias of tool.spec.aliases ?? []) index.set(`${tool.namespace}/${alias}`, tool)
  }
  for (const tool of declared) index.set(`${tool.namespace}/${tool.name}`, tool)
  return index
}

/** Finds tools by name or alias: those declared in the namespace first, then the built-in ones. */
export class ToolLookup {
  readonly #builtins: ReadonlyMap<string, BuiltinTool>
  readonly #declared: () => readonly DeclaredTool[]
  #indexed: { readonly of: readonly DeclaredTool[]; readonly index: Map<string, DeclaredTool> } | null = null

  constructor(builtins: readonly BuiltinTool[], declared: () => readonly DeclaredTool[]) {
    this.#builtins = new Map(
      builtins.flatMap((tool) => [tool.name, ...tool.aliases].map((name) => [name, tool] as const)),
    )
    this.#declared = declared
  }

  find(name: string, namespace: string): FoundTool | null {
    const declared = this.#index().get(`${namespace}/${name}`)
    if (declared !== undefined) return { is: 'declared', tool: declared, info: declaredInfo(declared) }
    const builtin = this.#builtins.get(name)
    return builtin === undefined ? null : { is: 'builtin', tool: builtin, info: builtinInfo(builtin) }
  }

  /** A list of another identity is another list: whoever gives it makes a new one when something changed. */
  #index(): Map<string, DeclaredTool> {
    const of = this.#declared()
    if (this.#indexed?.of !== of) this.#indexed = { of, index: indexOf(of) }
    return this.#indexed.index
  }
}

function declaredInfo({ name, spec }: DeclaredTool): ToolInfo {
  return {
    name,
    idempotent: spec.idempotent ?? false,
    inputSchema: (spec.inputSchema ?? {}) as JsonObject,
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    ...(spec.cost === undefined ? {} : { estimatedCents: spec.cost.estimatedCents }),
  }
}

function builtinInfo(tool: BuiltinTool): ToolInfo {
  const { name, idempotent, idempotentFor, inputSchema } = tool
  return {
    name,
    idempotent,
    ...(idempotentFor === undefined ? {} : { idempotentFor }),
    inputSchema,
    timeoutMs: parseDuration(tool.timeout),
  }
}
