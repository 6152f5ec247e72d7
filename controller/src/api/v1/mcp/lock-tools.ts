import Type from 'typebox'
import { TOOL_STATES } from '../../../kinds/mcp-server/mcp-server.schema.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, NamespaceQuery, Nullable, only } from '../schemas.ts'

const McpToolState = Type.Object(
  {
    name: Type.String({ description: "the server's name of it" }),
    tool: Type.String({ description: 'the Tool it is, or becomes' }),
    state: Type.Enum([...TOOL_STATES]),
    digest: Type.String(),
  },
  { title: 'McpToolState' },
)

export const lockTools = route({
  operation: 'lockTools',
  method: 'POST',
  path: '/api/v1/mcp-servers/{server}/lock',
  tag: 'tools',
  access: 'proposals.write',
  summary: 'Propose Tools that pin what an MCP server offers',
  description:
    'Asks the server now and proposes `tools.lock/<namespace>.<server>.yaml`: a Tool for each, with its schemas and their digest. Nothing of it may be called before it is merged. `branch` is null when what is offered is what was merged.',
  params: Type.Object({ server: Name }),
  query: only({ ...NamespaceQuery }),
  answers: {
    200: Type.Object(
      {
        server: Name,
        tools: Type.Array(McpToolState),
        file: Type.String(),
        branch: Nullable(Type.String()),
        commit: Nullable(Type.String()),
        correlation_id: Type.String(),
      },
      { title: 'ToolLock' },
    ),
  },
  example: {
    params: { server: 'github' },
    answer: {
      server: 'github',
      tools: [{ name: 'search_issues', tool: 'github.search-issues', state: 'new', digest: SAMPLE.digest }],
      file: 'tools.lock/default.github.yaml',
      branch: 'proposals/lock-mcpserver-default-github',
      commit: SAMPLE.revision,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, caller, correlationId }, { services }) {
    const ref = { namespace: query.namespace ?? 'default', name: params.server }
    return { server: params.server, ...(await services.mcpServers.lock(ref, caller)), correlation_id: correlationId }
  },
})
