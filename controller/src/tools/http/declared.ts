import { secretName, secretText } from '../../kinds/secret-ref.ts'
import type { ToolSpec } from '../../kinds/tool/tool.schema.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { exchange } from './call.ts'

/**
 * The executor `http` of a Tool: one request to a host that the Tool names. Parameters become parts of the path or the query
 * where the url names them, encoded so that they stay one part; the rest is the query, or the JSON body. The rules of the
 * environment about what may be reached hold as for `http.call`.
 */

type Http = NonNullable<ToolSpec['executor']['http']>

const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g
const WITHOUT_BODY = new Set(['GET', 'DELETE'])

export async function callDeclared(
  http: Http,
  spec: ToolSpec,
  call: Invocation,
  dependencies: Pick<ToolDependencies, 'secrets'>,
): Promise<Json> {
  const { method = 'POST', okStatus, maxBytes } = http
  const { url, rest } = addressOf(http, call.parameters)
  const hasBody = !WITHOUT_BODY.has(method)
  if (!hasBody) for (const [name, value] of Object.entries(rest)) url.searchParams.append(name, wordOf(name, value))
  const output = await exchange(
    call,
    {
      ...{ url: url.href, method, headers: await headersOf(http, call, dependencies) },
      ...(hasBody ? { body: rest } : {}),
      ...(okStatus === undefined ? {} : { okStatus }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    },
    url.origin,
  )
  return answerOf(output, spec.outputSchema !== undefined)
}

/** The url with its parameters in it, and those that are not. Throws SW_VALIDATION_FAILED. */
export function addressOf(
  { url }: Pick<Http, 'url'>,
  parameters: Readonly<JsonObject>,
): { readonly url: URL; readonly rest: JsonObject } {
  const named = new Set<string>()
  const text = url.replaceAll(PLACEHOLDER, (_, name: string) => {
    named.add(name)
    return encodeURIComponent(wordOf(name, parameters[name]))
  })
  // `..` is a way out of the path, however it is put together; a backslash is a slash to a URL, and is encoded.
  const [path = ''] = text.split('?')
  const before = url.split('?')[0]!.split('/')
  const leads = path.split('/').some((part, i) => (part === '.' || part === '..' || part === '') && part !== before[i])
  const found = URL.parse(text)
  if (leads || found === null)
    throw fail('SW_VALIDATION_FAILED', `the parameters ${[...named].join(', ')} make no address of ${url}`, {
      remedy: 'give words that are one part of a path',
    })
  return { url: found, rest: Object.fromEntries(Object.entries(parameters).filter(([name]) => !named.has(name))) }
}

function wordOf(name: string, value: Json | undefined): string {
  if (value === undefined || value === null)
    throw fail('SW_VALIDATION_FAILED', `the url needs the parameter ${name}`, { remedy: `give ${name}` })
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Throws SW_SECRET_MISSING. */
async function headersOf(
  http: Http,
  call: Invocation,
  { secrets }: Pick<ToolDependencies, 'secrets'>,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const { name, value, secretRef, prefix = '' } of http.headers ?? []) {
    if (secretRef === undefined) {
      headers[name] = `${prefix}${value ?? ''}`
      continue
    }
    const wanted = secretName(secretRef)
    const found = await secrets.read(wanted, call.use)
    if (found === null) throw fail('SW_SECRET_MISSING', `not there: secret ${secretText(wanted)} (for ${name})`)
    headers[name] = `${prefix}${found}`
  }
  return headers
}

/** As of a program: JSON is the result, any other text `{text}`. */
function answerOf(output: JsonObject, mustBeJson: boolean): Json {
  const { json, body, encoding, status } = output
  if (json !== undefined && (mustBeJson || (typeof json === 'object' && json !== null))) return json
  if (encoding !== undefined) return { status: status!, body: body!, encoding }
  return { status: status!, text: body! }
}
