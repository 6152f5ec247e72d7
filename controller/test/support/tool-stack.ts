import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ToolSpec } from '../../src/kinds/tool/tool.schema.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { KnownSecrets } from '../../src/telemetry/known-secrets.ts'
import { BUILTIN_TOOLS } from '../../src/tools/builtins.ts'
import { type NetworkRules, OPEN } from '../../src/tools/net/reach.ts'
import type { ArtifactSink, SecretNames, ToolRunner } from '../../src/tools/ports.ts'
import type { RunningPrograms } from '../../src/tools/process/running/ports.ts'
import { createToolRegistry } from '../../src/tools/registry.ts'
import type { Sandbox } from '../../src/tools/sandbox/sandbox.ts'
import type { KeptUndo, UndoStore } from '../../src/tools/undo/ports.ts'
import { secretsFrom } from './secrets.ts'

export interface ToolStack {
  readonly tools: ToolRunner
  readonly workspace: string
  readonly lines: string[]
  /** Calls a tool as a run would; `timeoutMs` is the step's. */
  call(
    tool: string,
    parameters: JsonObject,
    options?: {
      readonly signal?: AbortSignal
      readonly timeoutMs?: number
      readonly actor?: string
      readonly operationId?: string
    },
  ): Promise<Json>
  declare(name: string, spec: ToolSpec): void
  close(): Promise<void>
}

/** The tool registry with a folder of its own; `secrets` are `name/key`. */
export async function startToolStack(
  secrets: Readonly<Record<string, string>> = {},
  artifacts: ArtifactSink = () => Promise.reject(new Error('this test keeps no artifacts')),
  options: {
    readonly network?: NetworkRules
    readonly undos?: UndoStore
    readonly sandbox?: Sandbox
    readonly secretNames?: SecretNames
    readonly environment?: Readonly<Record<string, string>>
    readonly processes?: RunningPrograms
  } = {},
): Promise<ToolStack> {
  const workspace = await realpath(await mkdtemp(join(tmpdir(), 'stateward-tools-')))
  const lines: string[] = []
  const copies = await mkdtemp(join(tmpdir(), 'stateward-undo-'))
  const undos = options.undos ?? undosInMemory(copies)
  let declared: { namespace: string; name: string; spec: ToolSpec }[] = []
  const tools = createToolRegistry({
    builtins: BUILTIN_TOOLS,
    declared: () => declared,
    clock: systemClock,
    environment: { ...process.env, SECRET_OF_THE_CONTROLLER: 'leak', ...options.environment },
    ...(options.secretNames === undefined ? {} : { secretNames: options.secretNames }),
    ...(options.processes === undefined ? {} : { processes: options.processes }),
    artifacts,
    network: () => options.network ?? OPEN,
    undos,
    sandbox: async () => options.sandbox ?? { problem: null, wrap: async (argv) => argv },
    secrets: secretsFrom(secrets),
    known: new KnownSecrets(),
    redactor: (values) => (text) => values.reduce((left, value) => left.replaceAll(value, '[redacted]'), text),
  })
  return {
    tools,
    workspace,
    lines,
    call: (tool, parameters, options = {}) =>
      tools.run(
        {
          tool,
          with: parameters,
          namespace: 'default',
          operationId: options.operationId ?? 'run-1/step/1',
          ...(options.actor === undefined ? {} : { actor: options.actor }),
          correlationId: 'c-1',
          workspace,
          deadline: options.timeoutMs === undefined ? null : new Date(Date.now() + options.timeoutMs),
        },
        { signal: options.signal ?? new AbortController().signal, log: (line) => lines.push(line) },
      ),
    declare(name, spec) {
      declared = [...declared, { namespace: 'default', name, spec }]
    },
    async close() {
      await rm(workspace, { recursive: true, force: true })
      await rm(copies, { recursive: true, force: true })
    },
  }
}

/** Entries by operation id. */
function undosInMemory(folder: string): UndoStore {
  const entries = new Map<string, KeptUndo>()
  return {
    async folder(operationId) {
      const own = join(folder, operationId.replaceAll('/', '_'))
      await mkdir(own, { recursive: true })
      return own
    },
    async keep(entry) {
      if (!entries.has(entry.operationId)) entries.set(entry.operationId, { ...entry, undoneAt: null })
    },
    async learn(operationId, more) {
      const entry = entries.get(operationId)
      if (entry !== undefined) entries.set(operationId, { ...entry, record: { ...entry.record, ...more } })
    },
    find: async (call) => entries.get(call) ?? null,
    async undone(operationId) {
      entries.set(operationId, { ...entries.get(operationId)!, undoneAt: new Date() })
    },
  }
}
