import { connect } from 'node:net'
import type { Json } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { checkHost, lookupWithin } from './reach.ts'

async function run(call: Invocation): Promise<Json> {
  const {
    host = '127.0.0.1',
    port,
    timeoutMs = 3000,
  } = call.parameters as {
    host?: string
    port: number
    timeoutMs?: number
  }
  checkHost(call.reach, host)
  const began = performance.now()
  const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const socket = connect({ host, port, lookup: lookupWithin(call.reach) })
    const end = (result: NodeJS.ErrnoException | null): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), timeoutMs)
    socket.once('connect', () => end(null)).once('error', end)
    call.signal.addEventListener('abort', () => end(new Error('stopped')), { once: true })
  })
  call.signal.throwIfAborted()
  if (problem !== null && 'ref' in problem) throw problem
  return {
    host,
    port,
    open: problem === null,
    ...(problem === null
      ? { latencyMs: Math.round(performance.now() - began) }
      : { reason: problem.code ?? problem.message }),
  }
}

export const netCheckPort: BuiltinTool = {
  name: 'net.check_port',
  aliases: ['net_check_port'],
  description: 'Says whether somebody listens on a TCP port.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['port'],
    properties: {
      host: { type: 'string', minLength: 1, maxLength: 253, description: 'Name or address. Default: 127.0.0.1.' },
      port: { type: 'integer', minimum: 1, maximum: 65535 },
      timeoutMs: { type: 'integer', minimum: 1, maximum: 20_000, description: 'Default: 3000.' },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['host', 'port', 'open'],
    properties: {
      host: { type: 'string' },
      port: { type: 'integer' },
      open: { type: 'boolean' },
      latencyMs: { type: 'integer' },
      reason: { type: 'string' },
    },
  },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  outbound: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 50 },
  timeout: '30s',
  run,
}
