import { isObject, type Json, type JsonObject, pointerToken } from '../lib/json.ts'

/** The keyword of an inputSchema that says: a shell will read this string. */
const SHELL_KEYWORD = 'x-shell'

/**
 * Replaces every value that the schema marks with `x-shell: true` by what `replace` makes of it. Follows `properties`,
 * `additionalProperties` and `items`; {@link misplacedShellKeyword} finds marks that stand elsewhere.
 */
export function mapShellParameters(
  schema: JsonObject,
  value: Json,
  replace: (value: Json, pointer: string) => Json,
  pointer = '',
): Json {
  if (schema[SHELL_KEYWORD] === true) return replace(value, pointer)
  if (Array.isArray(value)) {
    const items = schema['items']
    return isObject(items)
      ? value.map((item, i) => mapShellParameters(items as JsonObject, item, replace, `${pointer}/${i}`))
      : value
  }
  if (!isObject(value)) return value
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const own = Object.hasOwn(properties, key) ? properties[key] : schema['additionalProperties']
      const mapped = isObject(own)
        ? mapShellParameters(own as JsonObject, member as Json, replace, `${pointer}/${pointerToken(key)}`)
        : member
      return [key, mapped as Json]
    }),
  )
}

/** Pointer of an `x-shell` where {@link mapShellParameters} would not find it (under anyOf, $defs …), which would leave it unprotected; else null. */
export function misplacedShellKeyword(schema: Json, pointer = '', reachable = true): string | null {
  if (Array.isArray(schema)) {
    for (const [i, item] of schema.entries()) {
      const found = misplacedShellKeyword(item, `${pointer}/${i}`, false)
      if (found !== null) return found
    }
    return null
  }
  if (!isObject(schema)) return null
  if (!reachable && schema[SHELL_KEYWORD] === true) return pointer
  for (const [key, member] of Object.entries(schema)) {
    const at = `${pointer}/${pointerToken(key)}`
    if (key === 'properties' && isObject(member)) {
      for (const [name, property] of Object.entries(member)) {
        const found = misplacedShellKeyword(property as Json, `${at}/${pointerToken(name)}`, reachable)
        if (found !== null) return found
      }
    } else {
      const found = misplacedShellKeyword(
        member as Json,
        at,
        reachable && (key === 'items' || key === 'additionalProperties'),
      )
      if (found !== null) return found
    }
  }
  return null
}
