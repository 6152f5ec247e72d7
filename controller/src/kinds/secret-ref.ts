import { isObject, type Json, type JsonObject, pointerToken } from '../lib/json.ts'

/** A secret as everything behind the manifests names it: `name` may hold slashes, `key` is the last part. */
export interface SecretName {
  readonly name: string
  readonly key: string
}

/** A reference as written: `{name, key}`, or `{path}`. */
export type SecretRef = { readonly name?: string; readonly key?: string; readonly path?: string }

/**
 * Paths of secrets: `sys/<environment>/…` is the operator's (`sys/prod/providers/openai`), `team/<team>/…` a team's. There is
 * no other beginning, so that a path is told from any other text.
 */
export const SECRET_PATH_PATTERN = '^(sys|team)/[a-z0-9][a-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){1,5}$'
const SECRET_PATH = new RegExp(SECRET_PATH_PATTERN)

export function isSecretPath(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 253 && SECRET_PATH.test(text)
}

/** `sys/prod/providers/openai` is the key `openai` of `sys/prod/providers`: one way to look a secret up. */
export function secretName(ref: SecretRef): SecretName {
  if (ref.path === undefined) return { name: ref.name ?? '', key: ref.key ?? '' }
  const cut = ref.path.lastIndexOf('/')
  return { name: ref.path.slice(0, cut), key: ref.path.slice(cut + 1) }
}

/** How a secret is written where people read it: `github/token`, `sys/prod/providers/openai`. */
export function secretText({ name, key }: SecretName): string {
  return `${name}/${key}`
}

const REF_SUFFIX = '_ref'

/** The reference a member `<name>_ref` of a tool's parameters holds; null when it is none: the parameter is what it is. */
function parameterRef(key: string, value: unknown): SecretName | null {
  if (!key.endsWith(REF_SUFFIX) || key.length === REF_SUFFIX.length) return null
  if (isSecretPath(value)) return secretName({ path: value })
  if (!isObject(value)) return null
  const { name, key: inside, path } = value
  const fields = Object.keys(value).length
  if (isSecretPath(path) && fields === 1) return secretName({ path })
  return typeof name === 'string' && typeof inside === 'string' && fields === 2 ? { name, key: inside } : null
}

/** Every secret a value names, with `secretRef` or as a parameter `*_ref`, each once. */
export function secretsNamedIn(value: unknown): SecretName[] {
  const found = new Map<string, SecretName>()
  const add = (name: SecretName): void => void found.set(secretText(name), name)
  const walk = (at: unknown): void => {
    if (Array.isArray(at)) for (const item of at) walk(item)
    if (!isObject(at)) return
    for (const [key, member] of Object.entries(at)) {
      const ref = parameterRef(key, member)
      if (ref !== null) add(ref)
      else if (/^(secretRef|.+SecretRef)$/.test(key) && isRef(member)) add(secretName(member))
      else walk(member)
    }
  }
  walk(value)
  return [...found.values()].sort((a, b) => (secretText(a) < secretText(b) ? -1 : 1))
}

function isRef(value: unknown): value is SecretRef {
  if (!isObject(value)) return false
  return typeof value['path'] === 'string' || (typeof value['name'] === 'string' && typeof value['key'] === 'string')
}

/** A parameter that is to hold a secret when its tool is called. */
export interface SecretParameter {
  /** Of the `*_ref` in the parameters. */
  readonly pointer: string
  readonly secret: SecretName
}

/**
 * The references that parameters hold as they are written. Of a template only what it says itself: a text that an expression
 * brings names no secret, or whoever starts a run could choose one.
 */
export function secretParameters(parameters: unknown): SecretParameter[] {
  const found: SecretParameter[] = []
  const walk = (at: unknown, pointer: string): void => {
    if (Array.isArray(at)) for (const [i, item] of at.entries()) walk(item, `${pointer}/${i}`)
    else if (isObject(at)) {
      for (const [key, member] of Object.entries(at)) {
        const here = `${pointer}/${pointerToken(key)}`
        const secret = parameterRef(key, member)
        if (secret !== null) found.push({ pointer: here, secret })
        else walk(member, here)
      }
    }
  }
  walk(parameters, '')
  return found
}

/**
 * Parameters with their secrets in place: `token_ref: team/ops/github` becomes `token: <value>`. For the tool alone: the answer
 * is never stored. What is not mentioned is shared with the original.
 */
export function withSecrets(parameters: JsonObject, values: ReadonlyMap<string, string>): JsonObject {
  const replaced = (at: Json, pointer: string): Json => {
    if (![...values.keys()].some((one) => one.startsWith(`${pointer}/`))) return at
    if (Array.isArray(at)) return at.map((item, i) => replaced(item, `${pointer}/${i}`))
    if (!isObject(at)) return at
    const members = Object.entries(at as JsonObject).map(([key, member]): [string, Json] => {
      const here = `${pointer}/${pointerToken(key)}`
      const value = values.get(here)
      return value === undefined ? [key, replaced(member, here)] : [key.slice(0, -REF_SUFFIX.length), value]
    })
    return Object.fromEntries(members)
  }
  return replaced(parameters, '') as JsonObject
}

/** Who uses a secret, as policies and the log have it. */
export interface SecretUse {
  /** `agent:default/sre`, `tool:default/deploy`, `webhook:default/github` … */
  readonly consumer: string
  readonly namespace: string
  readonly correlationId?: string
  readonly runId?: string
}

/** Where those who need a secret get it. */
export interface SecretReader {
  /**
   * The value, for being used: it is told in the log. Null when there is none. Throws SW_SECRET_MISSING when
   * there is one that cannot be used.
   */
  read(secret: SecretName, use: SecretUse): Promise<string | null>
  /** The value, only for taking it out of texts. */
  peek(secret: SecretName): Promise<string | null>
}
