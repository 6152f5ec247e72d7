import { isObject } from '../lib/json.ts'
import type { ApiClient } from './client/api-client.ts'
import { commandLine } from './command-line.ts'
import { givenNamespace } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/** A tool of an McpServer, as its server's status shows it. */
export interface Offered {
  readonly server: string
  readonly state: string
}

/** What McpServers of a namespace offer, by the Tool it is or would be. */
export async function offeredTools(client: ApiClient, namespace: string): Promise<ReadonlyMap<string, Offered>> {
  const path = `/kube/apis/stateward.dev/v1alpha1/namespaces/${namespace}/mcpservers`
  const { items } = await client.get<{
    items: readonly { readonly metadata: { readonly name: string }; readonly status?: { readonly tools?: unknown } }[]
  }>(path)
  return new Map(
    items.flatMap(({ metadata: { name: server }, status }) => {
      const tools = Array.isArray(status?.tools) ? status.tools.filter(isObject) : []
      return tools.map((tool) => [String(tool['tool']), { server, state: String(tool['state']) }] as const)
    }),
  )
}

/** `stateward tool lock <server>`. */
export async function lockTools(call: VerbCall, server: string): Promise<ExitCode> {
  const { options, terminal } = call
  const namespace = givenNamespace(options)
  const client = await call.client()
  const locked = await client.call('lockTools', { server, ...(namespace === null ? {} : { namespace }) })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(locked))
    return 0
  }
  const columns = [{ head: 'Name' }, { head: 'Tool' }, { head: 'State' }]
  const rows = locked.tools.map(({ name, tool, state }) => [name, tool, state])
  await terminal.out(renderTable(columns, rows, { width: terminal.columns }))
  if (locked.branch === null) await terminal.out(`nothing to propose: ${locked.file} says so already\n`)
  else {
    await terminal.out(`proposed ${locked.file} on ${locked.branch}\n`)
    await terminal.out(`next: ${commandLine(call, 'proposals', 'show', locked.branch)}\n`)
  }
  return 0
}
