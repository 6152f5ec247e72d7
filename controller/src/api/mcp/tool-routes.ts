import type { Principal } from '../auth/principal.ts'
import type { RouteFacts } from '../http/route.ts'
import { type JsonSchema, SchemaComponents } from '../openapi/schema-components.ts'
import { MCP_TOOLS, type McpTool } from './mcp-tools.ts'

/** A tool together with the route it is. */
export interface ToolRoute {
  readonly tool: McpTool
  readonly route: RouteFacts
  /** Where each argument goes; what is in neither is a member of the body. */
  readonly params: ReadonlySet<string>
  readonly query: ReadonlySet<string>
  readonly input: ObjectSchema
  /** Null where the route answers in several ways. */
  readonly output: JsonSchema | null
}

interface ObjectSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
  readonly additionalProperties: false
}

/** A request to the API as a tool call makes it. */
export interface ToolRequest {
  readonly method: RouteFacts['method']
  readonly url: string
  readonly body: Readonly<Record<string, unknown>> | undefined
}

/**
 * The tools of these routes, with the schemas of the routes: path, query and body become one object. Throws TypeError for a
 * tool without a route, and for a route that uses one name in two places.
 */
export function toolRoutes(routes: readonly RouteFacts[]): ReadonlyMap<string, ToolRoute> {
  const byOperation = new Map(routes.map((route) => [route.operation, route]))
  return new Map(
    MCP_TOOLS.map((tool) => {
      const route = byOperation.get(tool.operation)
      if (route === undefined) throw new TypeError(`tool ${tool.name} names no route: ${tool.operation}`)
      return [tool.name, toolRoute(tool, route)]
    }),
  )
}

function toolRoute(tool: McpTool, route: RouteFacts): ToolRoute {
  const schemas = new SchemaComponents({ inline: true })
  const parts = [route.params, route.query, route.body].map((schema) =>
    schema === undefined ? EMPTY : membersOf(schemas.place(schema), tool.name),
  )
  const [params = EMPTY, query = EMPTY] = parts
  const names = parts.flatMap(({ properties }) => Object.keys(properties))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`tool ${tool.name} has ${twice} in two parts of its request`)
  const [status, ...others] = Object.keys(route.answers)
  const answer = others.length > 0 ? null : schemas.place(route.answers[Number(status)])
  return {
    tool,
    route,
    params: new Set(Object.keys(params.properties)),
    query: new Set(Object.keys(query.properties)),
    input: {
      type: 'object',
      properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
      required: parts.flatMap(({ required }) => required),
      additionalProperties: false,
    },
    output: answer?.['type'] === 'object' ? answer : null,
  }
}

interface Members {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
}
const EMPTY: Members = { properties: {}, required: [] }

function membersOf(schema: JsonSchema, tool: string): Members {
  if (typeof schema['properties'] !== 'object') throw new TypeError(`tool ${tool} has a part that is no object`)
  return { ...EMPTY, ...(schema as unknown as Partial<Members>) }
}

/** What this caller has to say itself: an agent is known by its token. */
export function inputFor({ tool, input }: ToolRoute, principal: Principal): ObjectSchema {
  const known = filledFor(tool, principal)
  const rest = <T>(entries: [string, T][]) => entries.filter(([name]) => !Object.hasOwn(known, name))
  return {
    ...input,
    properties: Object.fromEntries(rest(Object.entries(input.properties))),
    required: input.required.filter((name) => !Object.hasOwn(known, name)),
  }
}

function filledFor({ filled }: McpTool, principal: Principal): Readonly<Record<string, string>> {
  return filled === undefined || principal.type !== 'agent' ? {} : filled(principal)
}

/** The request of a call. What an argument says comes before what the credential fills in: the route refuses what is another's. */
export function requestOf(
  { tool, route, params, query }: ToolRoute,
  principal: Principal,
  given: Readonly<Record<string, unknown>>,
): ToolRequest {
  const values = { ...filledFor(tool, principal), ...given }
  const search = new URLSearchParams()
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    if (params.has(name)) continue
    if (query.has(name)) search.append(name, textOf(value))
    else body[name] = value
  }
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(textOf(values[name] ?? '')))
  // A route without a body refuses members it does not know as a query.
  if (route.body === undefined) for (const [name, value] of Object.entries(body)) search.append(name, textOf(value))
  return {
    method: route.method,
    url: search.size === 0 ? path : `${path}?${search}`,
    body: route.body === undefined ? undefined : body,
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
