import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { mcpServerSpec, mcpServerStatus } from './mcp-server.schema.ts'

export const mcpServer = defineKind({
  kind: 'McpServer',
  plural: 'mcpservers',
  singular: 'mcpserver',
  shortNames: ['mcp'],
  scope: 'Namespaced',
  description:
    'A server of tools that speaks the Model Context Protocol. What it offers is shown in its status; `stateward tool lock` proposes it as Tools that pin each schema by its digest. A tool that is not what its Tool pins is not called, and its new schema is proposed.',
  spec: mcpServerSpec,
  status: mcpServerStatus,
  columns: columns([
    column('Tools', '.status.counts', 'How many tools are locked, new, changed or gone.'),
    wide('Server', '.status.server', 'What it calls itself.'),
    wide('Protocol', '.status.protocol', 'The revision of MCP that is spoken with it.'),
    wide('URL', '.spec.http.url', 'Where it answers.'),
  ]),
  conditions: conditionTable({ bad: ['Drifted'] }),
  reasons: [...COMMON_REASONS, 'Unreachable', 'Drifted', 'SecretMissing', 'LoginRequired'],
  volatile: ['/lastDiscoveredTime'],
  example: `apiVersion: stateward.dev/v1alpha1
kind: McpServer
metadata:
  name: github
spec:
  http:
    url: https://api.githubcopilot.com/mcp/
    headers:
      - {name: Authorization, secretRef: {name: github, key: mcp}}
  tools: [search_*, issue_read]
`,
})
