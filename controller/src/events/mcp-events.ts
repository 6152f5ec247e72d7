import Type from 'typebox'
import { type EventType, eventType, Text } from './event-type.ts'

const Offered = { namespace: Text, server: Text, name: Text, tool: Text, state: Text, digest: Text }

/** Events about MCP servers and their tools. */
export const MCP_EVENTS = {
  'stateward.mcp.tool.quarantined': eventType(
    'A server offers another tool than the one that was merged, or none: it is not called.',
    Offered,
  ),
  'stateward.mcp.tool.released': eventType(
    'What a server offers is what was merged: the tool is called again.',
    Offered,
  ),
  'stateward.mcp.server.authorized': eventType('Somebody signed in to a server behind OAuth for the fleet.', {
    ...{ namespace: Text, server: Text, issuer: Text, scopes: Type.Array(Text) },
    secret: Type.String({ description: 'where what it gave is kept' }),
  }),
} as const satisfies Record<string, EventType>
