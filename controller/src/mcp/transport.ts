import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { type SecretRef, type SecretUse, secretName, secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { type Challenges, OAuthSession } from './oauth/session.ts'
import type { DeclaredServer, McpDependencies } from './ports.ts'

interface Setting {
  readonly name: string
  readonly value?: string
  readonly secretRef?: SecretRef
}

/** A way to a server, not opened yet. SW_SECRET_MISSING names every secret that is not there. */
export async function transportTo(
  server: DeclaredServer,
  correlationId: string,
  dependencies: McpDependencies,
  challenges: Challenges,
): Promise<Transport> {
  const { namespace, name, spec } = server
  const { secrets, log, programs } = dependencies
  const use: SecretUse = { consumer: `mcpserver:${namespace}/${name}`, namespace, correlationId }
  const valuesOf = async (settings: readonly Setting[]): Promise<Record<string, string>> => {
    const values: Record<string, string> = {}
    const missing: string[] = []
    for (const setting of settings) {
      const secret = setting.secretRef === undefined ? null : secretName(setting.secretRef)
      const value = secret === null ? (setting.value ?? '') : await secrets.read(secret, use)
      if (value === null) missing.push(`${secretText(secret!)} (for ${setting.name})`)
      else values[setting.name] = value
    }
    if (missing.length > 0) throw fail('SW_SECRET_MISSING', `not there: secret ${missing.join(', ')}`)
    return values
  }
  if (spec.http !== undefined) {
    const headers = await valuesOf((spec.http.headers ?? []) as readonly Setting[])
    const { oauth } = spec.http
    const session =
      oauth === undefined ? null : await OAuthSession.open(server, oauth, correlationId, dependencies, challenges)
    return new StreamableHTTPClientTransport(new URL(spec.http.url), {
      requestInit: { headers },
      ...(session === null ? {} : { fetch: session.fetch }),
      // Its headers may hold secrets: they go to where they were declared for, and nowhere else.
      redirectPolicy: 'same-origin',
    })
  }
  const { env = [], trusted = false } = spec.stdio!
  const folder = await programs.folderOf(server)
  const [program = '', ...args] = await programs.confined(server, folder, (line) =>
    log.warn({ namespace, name }, `an MCP server is ${line}`),
  )
  const transport = new StdioClientTransport({
    command: program,
    args,
    // One that is confined writes to its folder alone: caches go there, too.
    env: { ...(trusted ? {} : { HOME: folder }), ...(await valuesOf(env as readonly Setting[])) },
    cwd: folder,
    stderr: 'pipe',
  })
  // What it has to say beside the protocol is for whoever looks for a reason.
  transport.stderr?.on('data', (chunk: Buffer) =>
    log.debug(
      { namespace, name, text: chunk.toString('utf8').slice(0, 4096) },
      'an MCP server wrote to its standard error',
    ),
  )
  return transport
}
