import type { ErrorObject } from 'ajv'
import { closest } from '../lib/closest.ts'
import { isObject, pointerKeys, pointerToken } from '../lib/json.ts'
import type { SpecProblem } from './definition.ts'
import { KEYWORDS, type Variants } from './vocabulary.ts'

/**
 * A validator's errors in words for people: which field, what is wrong with it, what to write instead. `base` is where
 * the validated value stands in the document (`/spec`). Errors that only say that another one exists are left out.
 */
export function problemsOf(errors: readonly ErrorObject[], base: string): SpecProblem[] {
  return errors
    .filter((error) => !SECONDARY.has(error.keyword) && !error.schemaPath.includes('/anyOf/'))
    .map((error) => problemOf(error, base))
}

/** They repeat what the errors below them say. */
const SECONDARY = new Set(['if', 'not', 'oneOf', 'allOf'])

type Text = Pick<SpecProblem, 'code' | 'message' | 'hint'> & { readonly below?: string | number }

function problemOf(error: ErrorObject, base: string): SpecProblem {
  const { below, ...words } = textOf(error, nameOf(base + error.instancePath))
  const pointer = base + error.instancePath
  return { ...words, pointer: below === undefined ? pointer : `${pointer}/${pointerToken(below)}` }
}

/** `/spec/plan/2/id` → `plan[2].id`: how people say it. */
function nameOf(pointer: string): string {
  const keys = pointerKeys(pointer)
  if (keys.length > 1 && keys[0] === 'spec') keys.shift()
  if (keys.length === 0) return 'the document'
  return keys.map((key, i) => (/^[0-9]+$/.test(key) ? `[${key}]` : i === 0 ? key : `.${key}`)).join('')
}

function textOf(error: ErrorObject, name: string): Text {
  const params: Record<string, unknown> = error.params
  const schema: Record<string, unknown> = error.parentSchema ?? {}
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(String(params['additionalProperty']), schema, name)
    case 'required':
      return missingField(String(params['missingProperty']), name, schema)
    case 'type':
      return wrongType(error, schema, name)
    case KEYWORDS.variants:
      return wrongVariant(params, schema, name)
    case KEYWORDS.listType:
      return repeated(params, name)
    default:
      return badValue(error, params, schema, name)
  }
}

function unknownField(field: string, schema: Readonly<Record<string, unknown>>, name: string): Text {
  const known = Object.keys(isObject(schema['properties']) ? schema['properties'] : {})
  const near = closest(field, known)
  const hint =
    near !== undefined
      ? `did you mean ${near}?`
      : known.length === 0
        ? 'leave it out'
        : `fields here are: ${known.join(', ')}`
  return { code: 'SW_UNKNOWN_FIELD', message: `${name} has no field ${field}`, hint, below: field }
}

function missingField(field: string, name: string, schema: Readonly<Record<string, unknown>>): Text {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const description = isObject(properties[field]) ? properties[field]['description'] : undefined
  return {
    code: 'SW_MISSING_FIELD',
    message: `${name}.${field} is missing`,
    hint: typeof description === 'string' ? `add ${field} (${withoutStop(lowerFirst(description))})` : `add ${field}`,
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of fields',
}

function wrongType(error: ErrorObject, schema: Readonly<Record<string, unknown>>, name: string): Text {
  const wanted = String(schema['type'])
  const words = TYPE_WORDS[wanted] ?? wanted
  const message =
    error.data === null
      ? `${name} has no value; it has to be ${words}`
      : `${name} has to be ${words}, not ${describe(error.data)}`
  return { code: 'SW_WRONG_TYPE', message, hint: hintForType(wanted, error.data, schema) }
}

function hintForType(wanted: string, found: unknown, schema: Readonly<Record<string, unknown>>): string {
  if (found === null) return 'give it a value, or leave the field out'
  const hint = schema[KEYWORDS.hint]
  if (wanted === 'string' && typeof hint === 'string') return hint
  if (wanted === 'string' && (typeof found === 'number' || typeof found === 'boolean'))
    return `put it in quotes: "${String(found)}"`
  if (wanted === 'array') return 'write a list: each item on a line of its own, beginning with "- "'
  if (wanted === 'integer' && typeof found === 'string' && /^-?[0-9]+$/.test(found))
    return `write it without quotes: ${found}`
  if (wanted === 'object') return 'write its fields below it, indented, each on a line of its own'
  if (wanted === 'integer' || wanted === 'number') return `write ${TYPE_WORDS[wanted]}`
  if (wanted === 'boolean') return 'write true or false, without quotes'
  return typeof schema['description'] === 'string' ? schema['description'] : `write ${TYPE_WORDS[wanted] ?? wanted}`
}

function wrongVariant(
  params: Readonly<Record<string, unknown>>,
  schema: Readonly<Record<string, unknown>>,
  name: string,
): Text {
  const variants = schema[KEYWORDS.variants] as Variants
  const which = String(params['variant'])
  const { required, optional } = variants.variants[which]!
  if (typeof params['missing'] === 'string') {
    return {
      ...missingField(params['missing'], name, schema),
      message: `${name}.${params['missing']} is missing: ${article(which)} needs it`,
    }
  }
  const field = String(params['refused'])
  const owners = Object.entries(variants.variants).filter(([, variant]) =>
    [...variant.required, ...variant.optional].includes(field),
  )
  return {
    code: 'SW_UNKNOWN_FIELD',
    message: `${name} is ${article(which)}, which has no field ${field}`,
    hint: `its fields are: ${[...required, ...optional].join(', ')}; ${field} belongs to ${owners.map(([owner]) => owner).join(' and ')}`,
    below: field,
  }
}

function repeated(params: Readonly<Record<string, unknown>>, name: string): Text {
  const keys = params['keys'] as readonly string[]
  const identity = (params['identity'] as readonly unknown[]).map((part) => String(part)).join('/')
  const index = Number(params['index'])
  return {
    code: 'SW_BAD_VALUE',
    message: `${name}[${index}] repeats ${keys.length === 0 ? identity : `${keys.join(' and ')} ${identity}`} of ${name}[${Number(params['first'])}]`,
    hint: keys.length === 0 ? 'leave one of the two out' : `give each its own ${keys.join(' and ')}`,
    below: index,
  }
}

function badValue(
  error: ErrorObject,
  params: Readonly<Record<string, unknown>>,
  schema: Readonly<Record<string, unknown>>,
  name: string,
): Text {
  const code = 'SW_BAD_VALUE'
  const limit = Number(params['limit'])
  const found = describe(error.data)
  switch (error.keyword) {
    case 'enum': {
      const allowed = (params['allowedValues'] as readonly unknown[]).map(String)
      const near = typeof error.data === 'string' ? closest(error.data, allowed) : undefined
      return {
        code,
        message: `${name} is ${found}, which is none of ${allowed.join(', ')}`,
        hint: near === undefined ? `write one of: ${allowed.join(', ')}` : `did you mean ${near}?`,
      }
    }
    case 'pattern':
      return {
        code,
        message: `${name} is ${found}, which is not written as it has to be`,
        hint: String(schema[KEYWORDS.hint] ?? `it has to match ${String(params['pattern'])}`),
      }
    case 'minLength':
      return {
        code,
        message: limit === 1 ? `${name} is empty` : `${name} has fewer than ${limit} characters`,
        hint: 'write something, or leave the field out',
      }
    case 'maxLength':
      return { code, message: `${name} has more than ${limit} characters`, hint: `write at most ${limit} characters` }
    case 'minimum':
      return { code, message: `${name} is ${found}, the smallest is ${limit}`, hint: `write ${limit} or more` }
    case 'maximum':
      return { code, message: `${name} is ${found}, the largest is ${limit}`, hint: `write ${limit} or less` }
    case 'minItems':
      return {
        code,
        message: limit === 1 ? `${name} is an empty list` : `${name} has fewer than ${limit} items`,
        hint: `give it at least ${limit}`,
      }
    case 'maxItems':
      return { code, message: `${name} has more than ${limit} items`, hint: `keep it to ${limit}` }
    case 'maxProperties':
      return { code, message: `${name} has more than ${limit} entries`, hint: `keep it to ${limit}` }
    case KEYWORDS.duration:
      return {
        code,
        message: `${name} is ${String(params['value'])}, outside of ${String(params['min'])} to ${String(params['max'])}`,
        hint: `write a duration from ${String(params['min'])} to ${String(params['max'])}`,
      }
    case KEYWORDS.exactlyOne: {
      const fields = (params['fields'] as readonly string[]).join(' or ')
      const none = (params['found'] as readonly string[]).length === 0
      return {
        code: none ? 'SW_MISSING_FIELD' : code,
        message: `${name} has ${none ? `neither ${fields.replaceAll(' or ', ' nor ')}` : (params['found'] as readonly string[]).join(' and ')}`,
        hint: `give exactly one of: ${fields}`,
      }
    }
    case KEYWORDS.rules:
      return {
        code,
        message: `${name}: ${String(params['message'])}`,
        hint: String(params['hint'] ?? `the rule is: ${String(params['rule'])}`),
      }
    default:
      return {
        code,
        message: `${name} is ${found}, which is not allowed`,
        hint: String(schema[KEYWORDS.hint] ?? schema['description'] ?? error.message),
      }
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text
}

function article(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
