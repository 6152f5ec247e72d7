import { Environment } from '@marcbachmann/cel-js'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'
import { parseDuration } from '../lib/duration.ts'
import { isObject } from '../lib/json.ts'
import type { CelRule } from './definition.ts'
import { type DurationLimits, KEYWORDS, refusedBy, type Variants } from './vocabulary.ts'

/** Compiles schemas to validators that collect every error and know our keywords. Pure: a compiled schema keeps no state. */

type KeywordError = Partial<ErrorObject>

/** A keyword's check with the errors of its last run on itself, as ajv wants it. */
interface KeywordCheck {
  (data: unknown): boolean
  errors?: KeywordError[]
}

/** CEL as the rules in CRDs need it: `self` of any type. */
const cel = new Environment({ unlistedVariablesAreDyn: true })

function keywordCheck(
  keyword: string,
  parentSchema: Readonly<Record<string, unknown>>,
  find: (data: unknown) => KeywordError[],
): KeywordCheck {
  const check: KeywordCheck = (data) => {
    const errors = find(data)
    if (errors.length === 0) return true
    check.errors = errors.map((error) => ({ keyword, parentSchema, ...error }))
    return false
  }
  return check
}

function checkVariants(variants: Variants): (data: unknown) => KeywordError[] {
  const refused = new Map(Object.keys(variants.variants).map((name) => [name, refusedBy(variants, name)]))
  return (data) => {
    if (!isObject(data)) return []
    const name = data[variants.by]
    if (typeof name !== 'string' || !Object.hasOwn(variants.variants, name)) return []
    const errors: KeywordError[] = []
    for (const field of refused.get(name)!)
      if (data[field] !== undefined) errors.push({ params: { refused: field, variant: name } })
    for (const field of variants.variants[name]!.required)
      if (data[field] === undefined) errors.push({ params: { missing: field, variant: name } })
    return errors
  }
}

function checkExactlyOne(fields: readonly string[]): (data: unknown) => KeywordError[] {
  return (data) => {
    if (!isObject(data)) return []
    const found = fields.filter((field) => data[field] !== undefined)
    return found.length === 1 ? [] : [{ params: { fields, found } }]
  }
}

function checkDuration(limits: DurationLimits): (data: unknown) => KeywordError[] {
  const min = parseDuration(limits.min)
  const max = parseDuration(limits.max)
  const pattern = /^([0-9]+(ms|s|m|h|d))+$/
  return (data) => {
    // The pattern reports what is no duration at all.
    if (typeof data !== 'string' || !pattern.test(data)) return []
    const ms = parseDuration(data)
    return ms < min || ms > max ? [{ params: { ...limits, value: data } }] : []
  }
}

function checkListType(type: string, keys: readonly string[]): (data: unknown) => KeywordError[] {
  return (data) => {
    if (type === 'atomic' || !Array.isArray(data) || data.length < 2) return []
    const seen = new Map<string, number>()
    return data.flatMap((item: unknown, index): KeywordError[] => {
      const identity = type === 'set' ? [item] : keys.map((key) => (isObject(item) ? item[key] : undefined))
      if (identity.includes(undefined)) return []
      const text = JSON.stringify(identity)
      const first = seen.get(text)
      if (first === undefined) {
        seen.set(text, index)
        return []
      }
      return [{ params: { index, first, keys, identity } }]
    })
  }
}

function checkRules(rules: readonly CelRule[]): (data: unknown) => KeywordError[] {
  const compiled = rules.map((rule) => ({ ...rule, holds: cel.parse(rule.rule) }))
  return (data) =>
    compiled.flatMap(({ holds, rule, message, hint }): KeywordError[] =>
      holds({ self: data }) === true ? [] : [{ params: { rule, message, hint } }],
    )
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  validateFormats: false,
  addUsedSchema: false,
  ownProperties: true,
})
ajv.addVocabulary([KEYWORDS.hint, KEYWORDS.anyJson, KEYWORDS.listMapKeys])
ajv.addKeyword({
  keyword: KEYWORDS.variants,
  compile: (value: Variants, schema) => keywordCheck(KEYWORDS.variants, schema, checkVariants(value)),
})
ajv.addKeyword({
  keyword: KEYWORDS.exactlyOne,
  compile: (value: readonly string[], schema) => keywordCheck(KEYWORDS.exactlyOne, schema, checkExactlyOne(value)),
})
ajv.addKeyword({
  keyword: KEYWORDS.duration,
  compile: (value: DurationLimits, schema) => keywordCheck(KEYWORDS.duration, schema, checkDuration(value)),
})
ajv.addKeyword({
  keyword: KEYWORDS.rules,
  compile: (value: readonly CelRule[], schema) => keywordCheck(KEYWORDS.rules, schema, checkRules(value)),
})
ajv.addKeyword({
  keyword: KEYWORDS.listType,
  compile: (type: string, schema) => {
    const keys: unknown = schema[KEYWORDS.listMapKeys]
    return keywordCheck(KEYWORDS.listType, schema, checkListType(type, Array.isArray(keys) ? keys.map(String) : []))
  },
})

export type Validator = ValidateFunction

export function compileSchema(schema: TSchema): Validator {
  return ajv.compile(schema)
}
