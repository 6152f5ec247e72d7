/** What is needed of a JSON Schema to read one value from a flag or a variable. */
export interface ValueSchema {
  readonly type?: string
  readonly anyOf?: readonly ValueSchema[]
}

/**
 * The value a text stands for under a schema: lists are separated by commas, switches are `true|1|yes` and `false|0|no`.
 * A text that does not fit stays a text, so that validation names it together with where it came from.
 */
export function valueFromText(schema: ValueSchema, text: string): unknown {
  const type = schema.type ?? schema.anyOf?.find((option) => option.type !== 'null')?.type
  if (type === 'integer') return /^-?[0-9]+$/.test(text) ? Number(text) : text
  if (type === 'array') {
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }
  if (type === 'boolean') {
    if (/^(true|1|yes)$/i.test(text)) return true
    if (/^(false|0|no)$/i.test(text)) return false
  }
  return text
}
