import { type SecretName, secretText } from '../../src/kinds/secret-ref.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { StatewardError } from '../../src/lib/errors.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { McpConnections } from '../../src/mcp/connections.ts'
import { McpLogins } from '../../src/mcp/oauth/logins.ts'
import { type OfferedTool, offeredDigest } from '../../src/mcp/offered-tool.ts'
import type { DeclaredServer } from '../../src/mcp/ports.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'

/**
 * What the official suite starts to test our client: `node mcp-client-process.ts <url of the scenario's server>`. It does what a
 * step does, by the same code: asks what is offered, signs in where somebody has to, calls every tool.
 */

const url = process.argv[2]!
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  readonly client_id?: string
  readonly client_secret?: string
  readonly private_key_pem?: string
  readonly signing_algorithm?: 'ES256'
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: JsonObject }[]
}

const values = new Map<string, string>([
  ['client/secret', context.client_secret ?? ''],
  ['client/key', context.private_key_pem ?? ''],
])
const oauthParts = {
  secrets: {
    read: async (secret: SecretName) => values.get(secretText(secret)) ?? null,
    peek: async (secret: SecretName) => values.get(secretText(secret)) ?? null,
  },
  keep: async (secret: SecretName, value: string) => void values.set(secretText(secret), value),
  learn: () => {},
  reach: async () => {},
}
const connections = new McpConnections({
  ...oauthParts,
  ...{ log: silentLogger(), version: '1.0.0', monotonicMs: () => performance.now() },
  programs: {
    folderOf: async () => '.',
    confined: async ({ spec }) => spec.stdio!.command,
    rules: () => null,
  },
})
const logins = new McpLogins({
  ...oauthParts,
  clock: systemClock,
  challenge: (server, correlationId) => connections.challenge(server, correlationId),
})

/** A client with a secret says whom it is for; the suite makes its authorization server up, so it is asked for it. */
async function issuer(): Promise<string> {
  const answer = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url))
  return ((await answer.json()) as { authorization_servers: [string] }).authorization_servers[0]
}

async function oauth() {
  if (!scenario.startsWith('auth/')) return undefined
  const { client_id: clientId, client_secret, private_key_pem, signing_algorithm: algorithm = 'ES256' } = context
  // The suite's own, which has no page behind it.
  const metadata = { clientMetadataURL: 'https://conformance-test.local/client-metadata.json' }
  if (clientId === undefined) return metadata
  return {
    ...{ clientId, issuer: await issuer() },
    ...(scenario.includes('client-credentials') ? { grant: 'clientCredentials' as const } : {}),
    ...(client_secret === undefined ? {} : { clientSecretRef: { name: 'client', key: 'secret' } }),
    ...(private_key_pem === undefined ? {} : { privateKeySecretRef: { name: 'client', key: 'key' }, algorithm }),
  }
}

const declared = await oauth()
const server: DeclaredServer = {
  ...{ namespace: 'default', name: 'conformance' },
  spec: { http: { url, ...(declared === undefined ? {} : { oauth: declared }) }, questions: 'defaults' },
}

/** A person who agrees at once. */
async function signIn(): Promise<void> {
  const asked = { redirectUri: 'http://localhost:3000/callback', scopes: [], correlationId: 'c' }
  const { url: page } = await logins.begin(server, asked)
  const answer = await fetch(page, { redirect: 'manual' })
  const callback = new URL(answer.headers.get('location') ?? '').searchParams
  await logins.finish(server, { callback, correlationId: 'c' })
  await connections.forget(server)
}

/** What the suite's tools want to be called with. */
function argumentsOf(name: string, tools: readonly OfferedTool[]): JsonObject {
  if (scenario === 'tools_call') return { a: 2, b: 3 }
  // Whether a schema is still what was offered.
  return name === 'json_schema_echo' ? { schema: tools.find((tool) => tool.name !== name)!.inputSchema } : {}
}

let signIns = 0
async function signedIn<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isAsked = error instanceof StatewardError && error.ref === 'SW_MCP_LOGIN_REQUIRED'
      // A person who is asked again and again gives up.
      if (!isAsked || signIns === 3) throw error
      signIns += 1
      await signIn()
    }
  }
}

try {
  const { tools } = await signedIn(() => connections.discover(server, 'c'))
  const calls = context.toolCalls ?? tools.map(({ name }) => ({ name, arguments: argumentsOf(name, tools) }))
  for (const call of calls) {
    const tool = tools.find(({ name }) => name === call.name)
    if (tool === undefined) continue
    const pinned = { tool: call.name, name: call.name, digest: offeredDigest(tool), arguments: call.arguments }
    await signedIn(() =>
      connections.call(server, { ...pinned, correlationId: 'c', signal: new AbortController().signal }),
    )
  }
} finally {
  await connections.close()
}
