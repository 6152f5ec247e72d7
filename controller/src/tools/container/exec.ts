import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { runOwnProgram } from '../process/program.ts'
import type { BuiltinTool } from '../tool.ts'

const ENGINES = ['podman', 'docker'] as const

/** The first engine that is there. */
async function engineOf(path: string): Promise<string> {
  for (const engine of ENGINES) {
    for (const folder of path.split(delimiter).filter((one) => one !== '')) {
      const program = join(folder, engine)
      if (
        await access(program, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return program
    }
  }
  throw fail('SW_TOOL_FAILED', 'there is neither podman nor docker on this machine', {
    remedy: 'install podman or docker where the worker runs',
  })
}

async function run(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const {
    container,
    command,
    user,
    workdir,
    env = {},
    stdin,
    okExitCodes = [0],
  } = call.parameters as {
    container: string
    command: string[]
    user?: string
    workdir?: string
    env?: Record<string, string>
    stdin?: string
    okExitCodes?: number[]
  }
  const { environment } = dependencies
  const engine = await engineOf(environment['PATH'] ?? '')
  const options = [
    ...(stdin === undefined ? [] : ['--interactive']),
    ...(user === undefined ? [] : ['--user', user]),
    ...(workdir === undefined ? [] : ['--workdir', workdir]),
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ]
  // Of the engine itself: how it is reached.
  const own = Object.fromEntries(
    ['DOCKER_HOST', 'CONTAINER_HOST', 'XDG_RUNTIME_DIR'].flatMap((name) => {
      const value = environment[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const { exitCode, stdout, stderr } = await runOwnProgram(call, dependencies, {
    argv: [engine, 'exec', ...options, container, ...command],
    environment: { ...own, HOME: environment['HOME'] ?? call.workspace },
    ...(stdin === undefined ? {} : { input: stdin }),
    ok: okExitCodes,
    remedy: 'install podman or docker',
  })
  return { exitCode, stdout, stderr }
}

export const containerExec: BuiltinTool = {
  name: 'container.exec',
  aliases: ['container_exec'],
  description:
    'Runs a program in a container that is running, with podman or docker: an argument vector, no shell text.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['container', 'command'],
    properties: {
      container: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$', description: 'Name or id.' },
      command: { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string', pattern: '^[^\\u0000]*$' } },
      user: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,100}$' },
      workdir: { type: 'string', pattern: '^/[^\\u0000]*$' },
      env: {
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
        additionalProperties: { type: 'string', pattern: '^[^\\u0000]*$' },
      },
      stdin: { type: 'string' },
      okExitCodes: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: 255 } },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['exitCode', 'stdout', 'stderr'],
    properties: { exitCode: { type: 'integer' }, stdout: { type: 'string' }, stderr: { type: 'string' } },
  },
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: false,
  // A container has a network of its own, which nobody here closes.
  outbound: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1000 },
  timeout: '10m',
  run,
}
