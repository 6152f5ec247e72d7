import { type SecretUse, secretText, withSecrets } from '../kinds/secret-ref.ts'
import type { Clock } from '../lib/clock.ts'
import { type ErrorRef, fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { followAbort } from '../lib/following-abort.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { schemaViolations, violationsText } from '../lib/json-schema.ts'
import { capabilityOf } from './capability.ts'
import { type CommandResult, runCommand } from './command/run-command.ts'
import { callDeclared } from './http/declared.ts'
import { type FoundTool, ToolLookup } from './lookup.ts'
import { checkParameters } from './parameters.ts'
import type { DeclaredTool, Invocation, ToolCall, ToolDependencies, ToolRunner } from './ports.ts'
import { withoutParts } from './redact-parts.ts'
import { cleanText } from './text.ts'
import type { BuiltinTool } from './tool.ts'
import { declaredUndo } from './undo/declared-undo.ts'

/** Bytes of a result as JSON. */
const MAX_RESULT = 1024 * 1024

export interface ToolRegistryOptions extends ToolDependencies {
  readonly builtins: readonly BuiltinTool[]
  /** The Tools of the state repo, as accepted last. A new list whenever something changed. */
  readonly declared: () => readonly DeclaredTool[]
}

/**
 * The tools a plan may call. Whatever the tool: its parameters fit its schema before it runs, it ends at its deadline, its result fits its
 * outputSchema and is at most 1 MiB, logs and messages hold only text that can be stored, and every failure is a StatewardError. A NUL or
 * a lone surrogate in a result is left in: who stores it replaces it and says so.
 */
export function createToolRegistry(options: ToolRegistryOptions): ToolRunner {
  const lookup = new ToolLookup(options.builtins, options.declared)
  // Tokens of ours, and every secret that was looked up, are taken out of logs and messages whatever the tool.
  const ours = options.redactor([])
  const redact = (text: string): string => options.known.redact(ours(text))
  const runner: ToolRunner = {
    find: (name, namespace) => lookup.find(name, namespace)?.info ?? null,
    all: (namespace) => lookup.all(namespace).map(capabilityOf),
    async run(call, { signal, log }) {
      const found = lookup.find(call.tool, call.namespace)
      if (found === null)
        throw fail('SW_TOOL_UNKNOWN', `there is no tool ${JSON.stringify(call.tool)} in namespace ${call.namespace}`)
      checkParameters(found.info, call.with)
      const use: SecretUse = {
        consumer: `tool:${call.namespace}/${found.info.name}`,
        namespace: call.namespace,
        correlationId: call.correlationId,
        ...runOf(call.operationId),
      }
      const rules = options.network(call.namespace)
      if (!rules.allowOutbound && reachesOut(found))
        throw fail(
          'SW_OUTBOUND_DENIED',
          `${found.info.name} reaches out, and the environment of namespace ${call.namespace} lets nothing out`,
        )
      const actor = call.actor ?? 'system:controller'
      const deadline = deadlineOf(call, found.info.timeoutMs, signal, options.clock)
      const invocation: Invocation = {
        parameters: call.with,
        use,
        workspace: call.workspace,
        operationId: call.operationId,
        correlationId: call.correlationId,
        signal: deadline.signal,
        actor,
        reach: { rules, byAgent: actor.startsWith('agent:') },
        undo: {
          folder: () => options.undos.folder(call.operationId),
          keep: ({ ...record }) =>
            options.undos.keep({
              operationId: call.operationId,
              namespace: call.namespace,
              actor,
              tool: found.info.name,
              workspace: call.workspace,
              correlationId: call.correlationId,
              record,
            }),
        },
        log: (line) => log(redact(cleanText(line))),
      }
      try {
        const parameters = await withItsSecrets(call, use, options)
        const undo = await declaredUndo(found, call, options.undos, invocation.undo)
        const dependencies = { ...options, call: runner }
        const result = await invoke(found, { ...invocation, parameters }, dependencies)
        const { redact: hidden = [] } = found.is === 'declared' ? found.tool.spec : {}
        const output = checkSize(withoutParts(options.known.redactJson(result), hidden), found.info.name)
        await undo.answered(output)
        return output
      } catch (error) {
        throw failureOf(error, found.info.name, { cancelled: signal, overdue: deadline.isOver(), redact })
      } finally {
        deadline.clear()
      }
    },
  }
  return runner
}

/** The parameters as the tool gets them. Throws SW_SECRET_MISSING, naming every secret that is not there. */
async function withItsSecrets(call: ToolCall, use: SecretUse, { secrets }: ToolRegistryOptions): Promise<JsonObject> {
  const { refs = [] } = call
  if (refs.length === 0) return call.with
  const values = new Map<string, string>()
  const missing: string[] = []
  for (const { pointer, secret } of refs) {
    const value = await secrets.read(secret, use)
    if (value === null) missing.push(`${secretText(secret)} (for with${pointer})`)
    else values.set(pointer, value)
  }
  if (missing.length > 0) throw fail('SW_SECRET_MISSING', `not there: secret ${missing.join(', ')}`)
  return withSecrets(call.with, values)
}

/** The run of an operation id: `<run>/<step path>/<attempt>`. */
function runOf(operationId: string): { readonly runId?: string } {
  const run = operationId.slice(0, Math.max(0, operationId.indexOf('/')))
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(run) ? { runId: run } : {}
}

async function invoke(found: FoundTool, invocation: Invocation, options: ToolRegistryOptions): Promise<Json> {
  invocation.signal.throwIfAborted()
  if (found.is === 'builtin') return await found.tool.run(invocation, options)
  const { name, spec } = found.tool
  const { output, finish } = await execute(found.tool, invocation, options)
  if (spec.outputSchema !== undefined) {
    const violations = schemaViolations(spec.outputSchema as JsonObject, output)
    if (violations.length > 0) {
      throw fail(
        'SW_INVALID_OUTPUT',
        `the result of ${name} does not fit its outputSchema: ${violationsText(violations)}`,
        {
          details: { violations },
          remedy: 'give JSON that fits the outputSchema of the tool',
        },
      )
    }
  }
  return finish(output)
}

/** By what it is: a server of tools is elsewhere; programs are kept from the network by how they are started. */
function reachesOut(found: FoundTool): boolean {
  if (found.is === 'builtin') return found.tool.outbound === true
  const { mcp, http } = found.tool.spec.executor
  return mcp !== undefined || http !== undefined
}

/** Runs what a declared tool is; its result is not checked yet. */
async function execute(
  { namespace, name, spec }: DeclaredTool,
  invocation: Invocation,
  options: ToolRegistryOptions,
): Promise<CommandResult> {
  const { command, http, mcp } = spec.executor
  if (command !== undefined) return runCommand(name, spec, invocation, options)
  if (http !== undefined)
    return { output: await callDeclared(http, spec, invocation, options), finish: (result) => result }
  if (mcp === undefined || options.mcp === undefined) throw fail('SW_TOOL_UNKNOWN', `the Tool ${name} has no executor`)
  const { parameters, operationId, correlationId, signal } = invocation
  const { server, tool: remote, digest } = mcp
  const output = await options.mcp({
    ...{
      namespace,
      server,
      tool: name,
      name: remote,
      digest,
      arguments: parameters,
      operationId,
      correlationId,
      signal,
    },
  })
  return { output, finish: (result) => result }
}

function checkSize(result: Json, name: string): Json {
  const bytes = Buffer.byteLength(JSON.stringify(result))
  if (bytes <= MAX_RESULT) return result
  throw fail('SW_OUTPUT_TOO_LARGE', `the result of ${name} is ${bytes} bytes, more than ${MAX_RESULT}`)
}

/** Longest wait a timer takes; a deadline beyond it (24 days) is none. */
const MAX_TIMER = 2 ** 31 - 1

interface Deadline {
  /** Of the call: aborted with whoever asked for it, or when the time is over. */
  readonly signal: AbortSignal
  readonly isOver: () => boolean
  readonly clear: () => void
}

/** The tool's own timeout or the call's deadline, whichever is sooner. */
function deadlineOf(call: ToolCall, timeoutMs: number, asked: AbortSignal, clock: Clock): Deadline {
  const left = call.deadline === null ? timeoutMs : Math.min(timeoutMs, call.deadline.getTime() - clock.now().getTime())
  const abort = followAbort(asked)
  let isOver = false
  const end = (): void => {
    isOver = true
    abort.abort(undefined)
  }
  if (left <= 0) end()
  const timer = setTimeout(end, Math.min(Math.max(left, 0), MAX_TIMER))
  return {
    signal: abort.signal,
    isOver: () => isOver,
    clear() {
      clearTimeout(timer)
      abort.end()
    },
  }
}

interface Circumstances {
  readonly cancelled: AbortSignal
  readonly overdue: boolean
  readonly redact: (text: string) => string
}

/** Why a call failed, for those who asked for it. What ended because it was told to is told so, whatever it threw. */
function failureOf(error: unknown, name: string, { cancelled, overdue, redact }: Circumstances): StatewardError {
  if (cancelled.aborted) return fail('SW_CANCELLED', `${name} was stopped`, { cause: cancelled.reason })
  if (overdue) return fail('SW_STEP_TIMEOUT', `${name} did not end in time`)
  if (error instanceof StatewardError) {
    const message = redact(cleanText(error.message))
    const details = JSON.stringify(error.details ?? null)
    return message === error.message && redact(details) === details
      ? error
      : fail(error.ref as ErrorRef, message, { details: JSON.parse(redact(details)), remedy: error.remedy })
  }
  return fail('SW_TOOL_FAILED', `${name}: ${redact(cleanText(errorMessage(error)))}`, { cause: error })
}
