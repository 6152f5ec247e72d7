import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { CompiledPolicy } from './evaluate/compile.ts'
import { evaluate } from './evaluate/evaluate.ts'
import { POINTS, type Point, type PolicyRequest } from './evaluate/request.ts'
import { DECISION_EFFECTS, type DecisionEffect, type Verdict } from './evaluate/verdict.ts'

/**
 * Cases of policies: what is asked, and what has to come out. A file of cases is YAML in the state repo beside the policies;
 * it has no apiVersion, so the controller takes it for nothing of its own. docs/guide/policy.md describes its format.
 */
export interface PolicyCase {
  readonly name: string
  readonly request: PolicyRequest
  readonly expect: Expectation
}

interface Expectation {
  readonly effect: DecisionEffect
  readonly rule?: string
  readonly policy?: string
  /** All that are asked for. */
  readonly approvals?: readonly { readonly min: number; readonly fromAnyOf: readonly string[] }[]
}

/** A file of cases that cannot be read: where, and what is wrong there. */
class CaseProblem extends Error {
  constructor(at: string, problem: string) {
    super(`${at}: ${problem}`)
  }
}

/** The cases of a document; throws for a file that cannot be read, and says where. `now`: when they happen unless they say. */
export function readCases(document: unknown, now: Date): readonly PolicyCase[] {
  const file = fields(document, 'the file', ['defaults', 'cases', 'policies'])
  const defaults = fields(file['defaults'] ?? {}, 'defaults', REQUEST_FIELDS)
  const cases = file['cases']
  if (!Array.isArray(cases) || cases.length === 0) throw new CaseProblem('cases', 'has to be a list of cases')
  return cases.map((each: unknown, i) => {
    const at = `cases[${i}]`
    const one = fields(each, at, ['name', 'request', 'expect'])
    if (typeof one['name'] !== 'string') throw new CaseProblem(at, 'needs a name')
    const given = fields(one['request'] ?? {}, `${at}.request`, REQUEST_FIELDS)
    return {
      name: one['name'],
      request: requestOf(defaults, given, `${at}.request`, now),
      expect: expectationOf(one['expect'], `${at}.expect`),
    }
  })
}

const REQUEST_FIELDS = ['point', 'action', 'aliases', 'subject', 'resource', 'env', 'risk', 'data', 'at']

function fields(value: unknown, at: string, known: readonly string[]): Record<string, unknown> {
  if (!isObject(value)) throw new CaseProblem(at, 'has to be a map')
  const unknown = Object.keys(value).find((field) => !known.includes(field))
  if (unknown !== undefined) throw new CaseProblem(at, `has no field ${unknown}; fields are ${known.join(', ')}`)
  return value
}

function requestOf(
  defaults: Record<string, unknown>,
  given: Record<string, unknown>,
  at: string,
  now: Date,
): PolicyRequest {
  const of = (field: string, known: readonly string[]) => ({
    ...fields(defaults[field] ?? {}, `defaults.${field}`, known),
    ...fields(given[field] ?? {}, `${at}.${field}`, known),
  })
  const word = <T extends string>(field: string, words: readonly T[], otherwise: T): T => {
    const value = (given[field] ?? defaults[field] ?? otherwise) as T
    if (!words.includes(value)) throw new CaseProblem(`${at}.${field}`, `has to be one of ${words.join(', ')}`)
    return value
  }
  const action = given['action'] ?? defaults['action']
  if (typeof action !== 'string') throw new CaseProblem(at, 'needs an action')
  const time = given['at'] ?? defaults['at']
  const when = time === undefined ? now : new Date(String(time))
  if (Number.isNaN(when.getTime())) throw new CaseProblem(`${at}.at`, 'has to be a time such as 2026-11-20T10:30:00Z')
  const point = word<Point>('point', POINTS, 'tool_call')
  const subject = of('subject', ['principal', 'roles', 'teams', 'lineage'])
  const resource = of('resource', ['type', 'namespace', 'name', 'labels'])
  const env = of('env', ['id', 'stage', 'class'])
  return {
    point,
    action,
    aliases: (given['aliases'] ?? defaults['aliases'] ?? []) as string[],
    subject: { principal: 'user:somebody', roles: [], teams: [], lineage: [], ...subject },
    resource: {
      type: point === 'tool_call' ? 'tool' : 'blueprint',
      namespace: 'default',
      name: action,
      labels: {},
      ...resource,
    },
    env: { id: 'default', stage: 'dev', class: 'product', ...env },
    risk: word('risk', ['low', 'medium', 'high'], 'low'),
    data: { ...(defaults['data'] as JsonObject | undefined), ...(given['data'] as JsonObject | undefined) },
    at: when,
  }
}

function expectationOf(value: unknown, at: string): Expectation {
  if (typeof value === 'string') return expectationOf({ effect: value }, at)
  const given = fields(value, at, ['effect', 'rule', 'policy', 'approvals'])
  if (!DECISION_EFFECTS.includes(given['effect'] as DecisionEffect))
    throw new CaseProblem(`${at}.effect`, `has to be one of ${DECISION_EFFECTS.join(', ')}`)
  return given as unknown as Expectation
}

export interface CaseResult {
  readonly name: string
  readonly verdict: Verdict
  /** What came out otherwise; empty = as expected. */
  readonly differences: readonly string[]
}

export function runCase(policies: readonly CompiledPolicy[], { name, request, expect }: PolicyCase): CaseResult {
  const verdict = evaluate(policies, request)
  const policy = verdict.policy === null ? null : `${verdict.policy.namespace}/${verdict.policy.name}`
  const differences: string[] = []
  const compare = (what: string, wanted: unknown, got: Json) => {
    if (wanted === undefined || isDeepStrictEqual(wanted, got)) return
    differences.push(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`)
  }
  compare('effect', expect.effect, verdict.effect)
  compare('rule', expect.rule, verdict.rule)
  compare(
    'policy',
    expect.policy === undefined || expect.policy.includes('/') ? expect.policy : `default/${expect.policy}`,
    policy,
  )
  compare('approvals', expect.approvals, verdict.requirements.approvals as unknown as Json)
  return { name, verdict, differences }
}
