import { mapShellParameters } from '../../expressions/shell-parameters.ts'
import { isShellText, type ShellText, shellArgv, shellLine } from '../../expressions/shell-template.ts'
import { type SecretReader, type SecretUse, secretName, secretText } from '../../kinds/secret-ref.ts'
import type { ToolSpec } from '../../kinds/tool/tool.schema.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { programEnvironment } from '../process/environment.ts'
import { runProgram } from '../process/run-program.ts'
import { confined } from '../sandbox/confine.ts'
import { cleanText, LineLog, mapTexts } from '../text.ts'

/**
 * The executor `command` of a Tool: the program runs once for each call in the workspace, gets the parameters as one line of JSON and
 * prints the result. A shell parameter arrives as `{literal, args, argv, line}`: `argv` is `sh -c <literal> sh <args…>`, ready to be
 * run; `line` is the same with every word quoted, ready for a remote login shell.
 */

const MAX_OUTPUT = 1024 * 1024
/** As of a task's program: it may be tried again. */
const RETRYABLE_EXIT = 75

type Command = NonNullable<ToolSpec['executor']['command']>

function programInput(schema: JsonObject, parameters: JsonObject): string {
  const prepared = mapShellParameters(schema, parameters, (value) =>
    isShellText(value)
      ? { literal: value.literal, args: [...(value as ShellText).args], argv: shellArgv(value), line: shellLine(value) }
      : value,
  )
  return `${JSON.stringify(prepared)}\n`
}

async function declaredVariables(
  command: Command,
  reader: SecretReader,
  use: SecretUse,
): Promise<{ readonly values: Record<string, string>; readonly secrets: string[] }> {
  const values: Record<string, string> = {}
  const secrets: string[] = []
  for (const variable of command.env ?? []) {
    if (variable.secretRef === undefined) {
      values[variable.name] = variable.value ?? ''
      continue
    }
    const wanted = secretName(variable.secretRef)
    const found = await reader.read(wanted, use)
    if (found === null)
      throw fail('SW_SECRET_MISSING', `not there: secret ${secretText(wanted)} (for ${variable.name})`)
    values[variable.name] = found
    secrets.push(found)
  }
  return { values, secrets }
}

/** What the program printed: a JSON object or array as it is, any other text as `{text}`. With an outputSchema it has to be JSON. */
function outputOf(text: string, mustBeJson: boolean, name: string): Json {
  try {
    const value = JSON.parse(text) as Json
    if (mustBeJson || (typeof value === 'object' && value !== null)) return value
  } catch (cause) {
    if (mustBeJson)
      throw fail(
        'SW_INVALID_OUTPUT',
        `${name} has an outputSchema, but printed no JSON: ${cleanText(text.slice(0, 200))}`,
        { cause },
      )
  }
  return { text }
}

/** A tool that only says what it would do says so in every result. */
function markRehearsal(output: Json): Json {
  return isObject(output) ? { ...output, rehearsal: true } : { value: output, rehearsal: true }
}

export interface CommandResult {
  /** Checked against nothing yet. */
  readonly output: Json
  readonly finish: (output: Json) => Json
}

export async function runCommand(
  name: string,
  spec: ToolSpec,
  call: Invocation,
  dependencies: ToolDependencies,
): Promise<CommandResult> {
  const command = spec.executor.command!
  const { values, secrets } = await declaredVariables(command, dependencies.secrets, call.use)
  const redact = dependencies.redactor(secrets)
  const lines = new LineLog((line) => call.log(redact(line)))
  const { rules } = call.reach
  const { trusted = false, sandbox = {} } = spec
  const argv = await confined(await dependencies.sandbox(), command.command, {
    isTrusted: trusted,
    isRequired: sandbox.required === true || rules.sandboxRequired === true,
    network: sandbox.network ?? true,
    limits: sandbox.limits ?? {},
    ...{ rules, workspace: call.workspace, log: call.log },
  })
  const end = await runProgram({
    argv,
    cwd: call.workspace,
    environment: programEnvironment(dependencies.environment, values, call),
    input: programInput(spec.inputSchema ?? {}, call.parameters),
    signal: call.signal,
    maxOutput: MAX_OUTPUT,
    onError: (text) => lines.push(text),
  })
  lines.end()
  const text = redact(end.stdout.toString('utf8'))
  if (end.exitCode !== 0) {
    const said = redact(cleanText(end.errorTail.trim() || text.trim().slice(-1024)))
    throw fail('SW_TOOL_FAILED', `${name} ended with exit code ${end.exitCode}${said === '' ? '' : `: ${said}`}`, {
      details: { exit_code: end.exitCode, retryable: end.exitCode === RETRYABLE_EXIT },
    })
  }
  return {
    output: outputOf(text, spec.outputSchema !== undefined, name),
    finish: (output) => (spec.rehearsal === true ? markRehearsal(mapTexts(output, redact)) : mapTexts(output, redact)),
  }
}
