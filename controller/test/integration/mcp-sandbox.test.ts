import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mcpPrograms } from '../../src/build/mcp-programs.ts'
import type { McpServerSpec } from '../../src/kinds/mcp-server/mcp-server.schema.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { McpConnections } from '../../src/mcp/connections.ts'
import { offeredDigest } from '../../src/mcp/offered-tool.ts'
import type { DeclaredServer } from '../../src/mcp/ports.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { type NetworkRules, OPEN } from '../../src/tools/net/reach.ts'
import { findSandbox, NONE, type Sandbox } from '../../src/tools/sandbox/sandbox.ts'
import { removeFolder } from '../support/agent-fleet.ts'
import { requires } from '../support/requires.ts'

const bubblewrap = requires('bubblewrap')
const data = mkdtempSync(join(tmpdir(), 'stateward-mcp-sandbox-'))
const secret = join(data, 'secrets', 'token')
const web = createServer((_request, response) => response.end('reached'))
let rules: NetworkRules = OPEN
let url: string
const opened: McpConnections[] = []

beforeAll(async () => {
  mkdirSync(join(data, 'secrets'))
  writeFileSync(secret, 'canary-9023')
  process.env['SNOOP_CANARY'] = 'canary-9023'
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
})
afterAll(async () => {
  for (const connections of opened) await connections.close()
  delete process.env['SNOOP_CANARY']
  await new Promise((resolve) => web.close(resolve))
  await removeFolder(data)
})

function connect(sandbox: Sandbox): McpConnections {
  const connections = new McpConnections({
    secrets: { read: async () => 'from a secret', peek: async () => null },
    ...{ keep: async () => {}, learn: () => {}, reach: async () => {} },
    ...{ log: silentLogger(), version: '1', monotonicMs: () => performance.now() },
    programs: mcpPrograms(
      data,
      () => rules,
      async () => sandbox,
    ),
  })
  opened.push(connections)
  return connections
}

/** A program that looks around, in the folder of its server. */
function snoop(name: string, settings: Partial<NonNullable<McpServerSpec['stdio']>> = {}): DeclaredServer {
  const folder = join(data, 'mcp', 'default', name)
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(import.meta.dirname, '../support/mcp-snoop.mjs'), join(folder, 'snoop.mjs'))
  return { namespace: 'default', name, spec: { stdio: { command: ['node', 'snoop.mjs'], ...settings } } }
}

async function tried(
  connections: McpConnections,
  server: DeclaredServer,
  name: string,
  given: JsonObject = {},
): Promise<Json> {
  const { tools } = await connections.discover(server, 'c')
  const digest = offeredDigest(tools.find((tool) => tool.name === name)!)
  const signal = new AbortController().signal
  const call = { tool: `t.${name}`, name, digest, arguments: given, correlationId: 'c', signal }
  return connections.call(server, call).then(
    (answer) => ((answer as { text?: string }).text ?? answer) as Json,
    (error: Error) => error.message,
  )
}

describe.skipIf(!bubblewrap.available)(`an MCP server that is a program ${bubblewrap.reason}`, () => {
  let connections: McpConnections
  beforeAll(async () => {
    const sandbox = await findSandbox({ path: process.env['PATH'] ?? '', home: null, hidden: [data] })
    expect(sandbox.problem).toBe(null)
    connections = connect(sandbox)
  })

  it('reads no secret of the data folder, and writes to its own folder only', async () => {
    const server = snoop('files')
    expect(await tried(connections, server, 'read', { path: secret })).toContain('ENOENT')
    expect(await tried(connections, server, 'write', { path: '/usr/x' })).toMatch(/EROFS|EACCES/)
    expect(await tried(connections, server, 'write', { path: '/tmp/of-snoop' })).toBe('written')
    expect(existsSync('/tmp/of-snoop')).toBe(false)
    expect(await tried(connections, server, 'write', { path: 'mine' })).toBe('written')
    expect(readFileSync(join(data, 'mcp/default/files/mine'), 'utf8')).toBe('written')
    expect(await tried(connections, server, 'see', { pid: process.pid })).toContain('ESRCH')
  })

  it('gets the variables that are declared, and none of ours', async () => {
    const server = snoop('variables', {
      env: [
        { name: 'LEVEL', value: 'warn' },
        { name: 'TOKEN', secretRef: { name: 'a', key: 'b' } },
      ],
    })
    const seen = (await tried(connections, server, 'environment')) as JsonObject
    expect(seen).toMatchObject({ LEVEL: 'warn', TOKEN: 'from a secret', HOME: join(data, 'mcp/default/variables') })
    expect(JSON.stringify(seen)).not.toContain('canary-9023')
    expect(Object.keys(seen)).not.toContain('STATEWARD_TOKEN')
  })

  it('reaches what it may: nothing where its declaration or the environment closes its network', async () => {
    expect(await tried(connections, snoop('open'), 'reach', { url })).toBe('reached')
    expect(await tried(connections, snoop('closed', { sandbox: { network: false } }), 'reach', { url })).toContain(
      'no: ',
    )
    rules = { allowOutbound: true, allow: ['other.example'] }
    // It is started anew: what it may changed.
    expect(await tried(connections, snoop('open'), 'reach', { url })).toContain('no: ')
    expect(await tried(connections, snoop('trusted', { trusted: true }), 'reach', { url })).toContain('no: ')
    rules = OPEN
    expect(await tried(connections, snoop('open'), 'reach', { url })).toBe('reached')
  })

  it('uses up no more than it may', async () => {
    const server = snoop('limits', { sandbox: { limits: { openFiles: 77, fileSizeMb: 3 } } })
    const limits = String(await tried(connections, server, 'limits'))
    expect(limits).toMatch(/Max open files +77 +77/)
    expect(limits).toMatch(/Max file size +3145728 /)
  })

  it('runs as it is where a commit trusts it', async () => {
    const server = snoop('as-it-is', { trusted: true })
    expect(await tried(connections, server, 'read', { path: secret })).toBe('canary-9023')
    expect(await tried(connections, server, 'see', { pid: process.pid })).toBe('seen')
    expect(JSON.stringify(await tried(connections, server, 'environment'))).not.toContain('canary-9023')
  })
})

describe('where there is no sandbox', () => {
  it('a program is not started where it has to be confined, and is where it need not be', async () => {
    const connections = connect(NONE('bubblewrap is not installed'))
    const refused = { ref: 'SW_SANDBOX_UNAVAILABLE' }
    for (const sandbox of [{ required: true }, { network: false }])
      await expect(connections.discover(snoop('must', { sandbox }), 'c')).rejects.toMatchObject(refused)
    rules = { ...OPEN, sandboxRequired: true }
    await expect(connections.discover(snoop('may'), 'c')).rejects.toMatchObject(refused)
    rules = OPEN
    expect(await tried(connections, snoop('may'), 'write', { path: 'mine' })).toBe('written')
  })
})
