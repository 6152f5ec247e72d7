import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ToolSpec } from '../../src/kinds/tool/tool.schema.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import type { ToolRunner as RunEngineTools } from '../../src/runs/ports.ts'
import { KnownSecrets } from '../../src/telemetry/known-secrets.ts'
import { BUILTIN_TOOLS } from '../../src/tools/builtins.ts'
import type { ArtifactSink } from '../../src/tools/ports.ts'
import { createToolRegistry } from '../../src/tools/registry.ts'
import { secretsFrom } from './secrets.ts'

export interface ToolStack {
  readonly tools: RunEngineTools
  readonly workspace: string
  readonly lines: string[]
  /** Calls a tool as a run would; `timeoutMs` is the step's. */
  call(
    tool: string,
    parameters: JsonObject,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<Json>
  declare(name: string, spec: ToolSpec): void
  close(): Promise<void>
}

/** The tool registry with a folder of its own; `secrets` are `name/key`. */
export async function startToolStack(
  secrets: Readonly<Record<string, string>> = {},
  artifacts: ArtifactSink = () => Promise.reject(new Error('this test keeps no artifacts')),
): Promise<ToolStack> {
  const workspace = await realpath(await mkdtemp(join(tmpdir(), 'stateward-tools-')))
  const lines: string[] = []
  let declared: { namespace: string; name: string; spec: ToolSpec }[] = []
  const tools = createToolRegistry({
    builtins: BUILTIN_TOOLS,
    declared: () => declared,
    clock: systemClock,
    environment: { ...process.env, SECRET_OF_THE_CONTROLLER: 'leak' },
    artifacts,
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
          operationId: 'run-1/step/1',
          correlationId: 'c-1',
          workspace,
          deadline: options.timeoutMs === undefined ? null : new Date(Date.now() + options.timeoutMs),
        },
        { signal: options.signal ?? new AbortController().signal, log: (line) => lines.push(line) },
      ),
    declare(name, spec) {
      declared = [...declared, { namespace: 'default', name, spec }]
    },
    close: () => rm(workspace, { recursive: true, force: true }),
  }
}
