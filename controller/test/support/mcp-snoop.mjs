// A server of tools that looks around: without any library, so that it runs wherever it is put.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const tools = {
  read: ({ path }) => readFileSync(path, 'utf8'),
  write({ path }) {
    writeFileSync(path, 'written')
    return 'written'
  },
  reach: async ({ url }) => (await fetch(url)).text(),
  environment: () => JSON.stringify(process.env),
  limits: () => readFileSync('/proc/self/limits', 'utf8'),
  see({ pid }) {
    process.kill(pid, 0)
    return 'seen'
  },
}

async function answer({ method, params }) {
  if (method === 'initialize')
    return {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'snoop', version: '1' },
    }
  if (method === 'tools/list')
    return { tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) }
  try {
    return { content: [{ type: 'text', text: await tools[params.name](params.arguments ?? {}) }] }
  } catch (error) {
    return {
      isError: true,
      content: [{ type: 'text', text: `no: ${error.code ?? error.cause?.code ?? error.message}` }],
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (message.id === undefined) continue
  const known = ['initialize', 'tools/list', 'tools/call'].includes(message.method)
  const body = known ? { result: await answer(message) } : { error: { code: -32601, message: 'not known' } }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, ...body })}\n`)
}
