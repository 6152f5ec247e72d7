import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { confined } from '../sandbox/confine.ts'
import { cleanText, LineLog } from '../text.ts'
import type { BuiltinTool } from '../tool.ts'
import { checkProgram, commandParameter, environmentParameter } from './asked-program.ts'
import { programEnvironment } from './environment.ts'
import { runProgram } from './run-program.ts'

const MAX_OUTPUT = 768 * 1024
const MAX_STDERR = 128 * 1024

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['command'],
  properties: {
    command: commandParameter,
    env: environmentParameter,
    stdin: { type: 'string', description: 'What the program reads.' },
    okExitCodes: {
      type: 'array',
      description: 'Exit codes that are no failure. Default: only 0.',
      items: { type: 'integer', minimum: 0, maximum: 255 },
      minItems: 1,
    },
  },
}

const outputSchema: JsonObject = {
  type: 'object',
  required: ['exitCode', 'stdout', 'stderr'],
  properties: { exitCode: { type: 'integer' }, stdout: { type: 'string' }, stderr: { type: 'string' } },
}

async function run(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const parameters = call.parameters as {
    command: string[]
    env?: Record<string, string>
    stdin?: string
    okExitCodes?: number[]
  }
  const { command, env = {}, stdin = '', okExitCodes = [0] } = parameters
  checkProgram('process.run', command, env)
  const inherited = { ...dependencies.environment, HOME: call.workspace }
  const lines = new LineLog(call.log)
  let stderr = ''
  const { rules } = call.reach
  const argv = await confined(await dependencies.sandbox(), command, {
    ...{ isTrusted: false, isRequired: rules.sandboxRequired === true, network: true, limits: {}, rules },
    ...{ workspace: call.workspace, log: call.log },
  })
  const end = await runProgram({
    argv,
    cwd: call.workspace,
    environment: programEnvironment(inherited, env, call),
    input: stdin,
    signal: call.signal,
    maxOutput: MAX_OUTPUT,
    onError: (text) => {
      if (stderr.length < MAX_STDERR) stderr = (stderr + text).slice(0, MAX_STDERR)
      lines.push(text)
    },
  })
  lines.end()
  const stdout = end.stdout.toString('utf8')
  if (okExitCodes.includes(end.exitCode)) return { exitCode: end.exitCode, stdout, stderr }
  const program = command[0]!.slice(0, 200)
  const said = cleanText(end.errorTail.trim() || stdout.trim().slice(-1024))
  throw fail('SW_TOOL_FAILED', `${program} ended with exit code ${end.exitCode}${said === '' ? '' : `: ${said}`}`, {
    details: { exit_code: end.exitCode, retryable: end.exitCode === 75 },
  })
}

export const processRun: BuiltinTool = {
  name: 'process.run',
  aliases: ['process_run'],
  description: 'Runs a program in the workspace: an argument vector, never a shell text.',
  inputSchema,
  outputSchema,
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1000 },
  timeout: '10m',
  run,
}
