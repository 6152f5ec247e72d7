import type { SecretName, SecretParameter, SecretReader, SecretUse } from '../kinds/secret-ref.ts'
import type { ToolSpec } from '../kinds/tool/tool.schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { NetworkRules, Reach } from './net/reach.ts'
import type { RunningPrograms } from './process/running/ports.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import type { UndoStore } from './undo/ports.ts'

/** What the tools need from elsewhere, and what they are to those who call them; `build` plugs both together. */

/** A Tool of the state repo, as accepted last; `spec` with its defaults filled. */
export interface DeclaredTool {
  readonly namespace: string
  readonly name: string
  readonly spec: ToolSpec
}

/** Keeps bytes that a call made as an artifact of its run; again under the same operation id: the first one. */
export type ArtifactSink = (artifact: {
  readonly operationId: string
  readonly correlationId: string
  readonly name: string
  readonly kind: string
  readonly contentType: string
  readonly content: AsyncIterable<Uint8Array>
}) => Promise<{ readonly artifact_id: string; readonly bytes: number; readonly sha256: string }>

/** Calls a tool of an McpServer; whoever it is, it is what its Tool pins, or is not called. */
export type McpCaller = (call: {
  readonly namespace: string
  readonly server: string
  /** Name of the Tool. */
  readonly tool: string
  /** The server's name of it. */
  readonly name: string
  readonly digest: string
  readonly arguments: JsonObject
  readonly operationId: string
  readonly correlationId: string
  readonly signal: AbortSignal
}) => Promise<Json>

/** What the tool `llm.invoke` asks of a model. */
export interface ModelQuestion {
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[]
  readonly system?: string
  readonly route?: string
  readonly provider?: string
  readonly model?: string
  readonly outputSchema?: JsonObject
  readonly maxTokens?: number
  readonly temperature?: number
  readonly taskClass?: string
  readonly privacy?: 'any' | 'localOnly'
  readonly namespace: string
  readonly actor: string
  readonly correlationId: string
  readonly operationId: string
}

export interface ModelAnswer {
  readonly text: string
  /** Null = the provider did not say. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null
  readonly costNanoUsd: bigint
  readonly provider: string
  readonly model: string
  /** Rules answered, and no model. */
  readonly isScripted: boolean
}

/** Asks a model: routed, paid for and recorded. Throws SW_NO_MODEL, SW_MODELS_FAILED, SW_OVER_BUDGET, SW_DENIED_BY_POLICY. */
export type ModelGateway = (question: ModelQuestion, signal: AbortSignal) => Promise<ModelAnswer>

/** Blueprints and packs before they are in force. Errors are those of the API: SW_DRAFT_NOT_FOUND, SW_CONFLICT … */
export interface DraftDesk {
  save(
    draft: {
      readonly namespace: string
      readonly kind: 'blueprint' | 'pack'
      readonly name: string
      readonly definition: JsonObject | string
      readonly trigger: string | null
      readonly notes: string
      readonly runId: string | null
      readonly draftId: string | null
    },
    by: DraftCaller,
  ): Promise<{ readonly draft_id: string; readonly revision: number }>
  validate(
    id: string,
    by: DraftCaller,
  ): Promise<{
    readonly draft_id: string
    readonly revision: number
    readonly is_valid: boolean
    readonly issues: readonly object[]
    readonly artifact_id: string | null
  }>
  /** A person does it over the API; here a run of a blueprint does it, or an agent. SW_FORBIDDEN for anybody else. */
  promote(
    id: string,
    by: DraftCaller,
  ): Promise<{
    readonly draft_id: string
    readonly kind: 'blueprint' | 'pack'
    readonly id: string
    readonly version: string
    readonly tag: string
    readonly commit: string
    readonly proposal: string
  }>
}

export interface DraftCaller {
  readonly actor: string
  readonly correlationId: string
  /** The run whose step it is; null = none. */
  readonly runId: string | null
}

/** Names of secrets and where they are; values never. */
export interface SecretNames {
  list(): Promise<
    readonly {
      readonly provider: string
      readonly secrets: readonly string[] | null
      readonly problem: string | null
    }[]
  >
  /** Gives it a value; answers with where it is kept. SW_SECRET_READ_ONLY, SW_NOT_FOUND. */
  put(secret: SecretName, value: string, use: SecretUse, store?: string): Promise<{ readonly provider: string }>
  check(secret: SecretName): Promise<{
    readonly secret: string
    /** Null = nowhere. */
    readonly provider: string | null
    readonly problem: string | null
  }>
}

export interface ToolDependencies {
  readonly clock: Clock
  /** Variables that programs may inherit; only those of an allow-list are taken from it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly secrets: SecretReader
  /** Everything the process looked up: taken out of what any tool says. */
  readonly known: KnownSecrets
  readonly artifacts: ArtifactSink
  /** Left out: there are no tools of MCP servers. */
  readonly mcp?: McpCaller
  /** What tools of a namespace may reach. */
  readonly network: (namespace: string) => NetworkRules
  readonly undos: UndoStore
  /** Left out: nobody may ask for names. */
  readonly secretNames?: SecretNames
  /** Left out: there is no state repo to draft for. */
  readonly drafts?: DraftDesk
  /** Left out: there are no models. */
  readonly models?: ModelGateway
  /** Programs that go on after their call. Left out: nobody looks after any. */
  readonly processes?: RunningPrograms
  /** Confines programs; looked for once. */
  readonly sandbox: () => Promise<Sandbox>
  /** Every tool, for one that calls another. Left out: it calls none. */
  readonly call?: Pick<ToolRunner, 'find' | 'run'>
  /** Makes what takes the given secrets out of a text. */
  readonly redactor: (secrets: readonly string[]) => (text: string) => string
}

/** One call, as the run engine asks for it. */
export interface ToolCall {
  readonly tool: string
  /** Rendered parameters; shell parameters as ShellText. */
  readonly with: JsonObject
  /** Which of them name secrets: the tool gets these in their place. */
  readonly refs?: readonly SecretParameter[]
  readonly namespace: string
  readonly operationId: string
  readonly correlationId: string
  /** Whoever asks for it. Left out: the run does. */
  readonly actor?: string
  /** The folder the call may read and write. */
  readonly workspace: string
  readonly deadline: Date | null
}

export interface ToolInfo {
  readonly name: string
  readonly idempotent: boolean
  readonly idempotentFor?: (parameters: JsonObject) => boolean
  readonly leavesNothing?: boolean
  readonly withoutEffects?: boolean
  readonly usesWorkspace?: boolean
  readonly inputSchema: JsonObject
  readonly timeoutMs: number
  /** How much harm a wrong call can do. */
  readonly risk?: 'low' | 'medium' | 'high'
  /** What a call leaves behind. */
  readonly sideEffects?: 'none' | 'reversible' | 'irreversible'
  /** What a call costs and how long it takes, by the tool's own declaration; absent = it declares nothing. */
  readonly estimatedCents?: number
  readonly estimatedLatencyMs?: number
  /** It only says what it would do: a call costs nothing, whatever it declares. */
  readonly isRehearsal?: boolean
  /** What it costs it charges itself: no money is kept for a call by what it declares. */
  readonly paysItself?: boolean
  /** What an agent's capabilities have to cover before it may call the tool itself. Default: nothing. */
  readonly permissions?: readonly string[]
  /** `tool.undo` can take a call of it back. */
  readonly isUndoable?: boolean
}

/** All that is said of a tool, for those who choose one. */
export interface Capability extends ToolInfo {
  readonly risk: NonNullable<ToolInfo['risk']>
  readonly sideEffects: NonNullable<ToolInfo['sideEffects']>
  readonly aliases: readonly string[]
  readonly description: string
  readonly outputSchema: JsonObject | null
  readonly isBuiltin: boolean
  /** It only says what it would do. */
  readonly isRehearsal: boolean
  /** Nothing of it happens where the environment lets nothing out. */
  readonly reachesOut: boolean
  /** Its program is run as it is. Built-in tools are ours. */
  readonly isTrusted: boolean
  readonly rateLimit: { readonly calls: number; readonly per: string } | null
  /** Parts of the result that nobody gets to see. */
  readonly redact: readonly string[]
}

export interface ToolRunner {
  find(name: string, namespace: string): ToolInfo | null
  /** Every tool of a namespace by name; one that is declared stands before the built-in one of the same name. */
  all(namespace: string): readonly Capability[]
  run(call: ToolCall, options: { readonly signal: AbortSignal; readonly log: (line: string) => void }): Promise<Json>
}

/** A call on its way to the tool itself: parameters are valid, `signal` also ends at the deadline, `log` takes out secrets. */
export interface Invocation {
  readonly parameters: JsonObject
  readonly workspace: string
  readonly operationId: string
  readonly correlationId: string
  readonly signal: AbortSignal
  readonly log: (line: string) => void
  readonly use: SecretUse
  /** Whoever asks for it. */
  readonly actor: string
  readonly reach: Reach
  /** For what changes something that can be changed back. */
  readonly undo: {
    /** For copies of what is going to be changed. */
    readonly folder: () => Promise<string>
    /** What is needed to take the call back; durable when it resolves. */
    readonly keep: (record: JsonObject) => Promise<void>
  }
}
