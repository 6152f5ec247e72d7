import { keyOf, type ObjectKey, refOf } from '../../kinds/resource.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { Change } from '../change-set.ts'
import { agentEffects } from './agent.ts'
import { blueprintEffects } from './blueprint.ts'
import { type Around, type Effect, type EffectReader, RISKS, type Risk, worst } from './effect.ts'
import { filled } from './filled-spec.ts'
import {
  approvalEffects,
  budgetEffects,
  environmentEffects,
  hostEffects,
  policyEffects,
  sourceEffects,
} from './governance.ts'
import { mcpServerEffects } from './mcp-server.ts'
import { providerEffects, routeEffects } from './model.ts'
import { riskOf, toolEffects } from './tool.ts'

const READERS: Readonly<Record<string, EffectReader>> = {
  Agent: agentEffects,
  Approval: approvalEffects,
  Blueprint: blueprintEffects,
  Budget: budgetEffects,
  Environment: environmentEffects,
  Host: hostEffects,
  McpServer: mcpServerEffects,
  ModelProvider: providerEffects,
  ModelRoute: routeEffects,
  Policy: policyEffects,
  Source: sourceEffects,
  Tool: toolEffects,
}

/** What a change does to the world, the worst first, and how bad the worst of it is. */
export interface PlannedEffects {
  readonly risk: Risk
  readonly effects: readonly Effect[]
}

/** Merged specs by object, before defaults. */
export type Specs = ReadonlyMap<ObjectKey, JsonObject>

export interface EffectsInput {
  readonly changes: readonly Change[]
  readonly before: Specs
  /** Of created and updated objects. */
  readonly changed: Specs
  /** Null = there is no built-in tool of that name. */
  readonly builtinToolRisk: (name: string) => Risk | null
}

/** Pure: follows from the two states alone. What is blocked or skipped has no effect. */
export function effectsOf({ changes, before, changed, builtinToolRisk }: EffectsInput): PlannedEffects {
  const made = changes.filter(({ action }) => action === 'create' || action === 'update' || action === 'delete')
  const after = new Map(before)
  for (const change of made) {
    const key = keyOf(change)
    const spec = changed.get(key)
    if (change.action === 'delete' || spec === undefined) after.delete(key)
    else after.set(key, spec)
  }
  const around = aroundOf({ before, after }, builtinToolRisk)
  const effects = made.flatMap((change): Effect[] => {
    const key = keyOf(change)
    const { kind, namespace, name } = change
    const [was, is] = [filled(kind, before.get(key)), filled(kind, after.get(key))]
    if (was === null && is === null) return []
    // What inherits or holds the same but comes to another digest has other files.
    const filesChanged =
      change.action === 'update' && change.fromDigest !== change.toDigest && JSON.stringify(was) === JSON.stringify(is)
    const found = READERS[kind]?.({ before: was, after: is, namespace, filesChanged }, around) ?? []
    return found.map((finding) => ({ kind, namespace, name, ...finding }))
  })
  effects.sort((a, b) => RISKS.indexOf(b.risk) - RISKS.indexOf(a.risk))
  return { risk: worst(effects.map(({ risk }) => risk)), effects }
}

type States = Readonly<Record<'before' | 'after', Specs>>

/** What the effects of other objects ask for, looked up once: a state holds thousands of objects. */
interface Index {
  readonly hosts: readonly (readonly [name: string, labels: Json | undefined])[]
  /** By `namespace/name`, also by alias. */
  readonly toolRisks: ReadonlyMap<string, Risk>
}

function indexOf(specs: Specs): Index {
  const hosts: [string, Json | undefined][] = []
  const toolRisks = new Map<string, Risk>()
  for (const [key, spec] of specs) {
    const { kind, namespace, name } = refOf(key)
    if (kind === 'Host') hosts.push([name, spec['labels']])
    if (kind !== 'Tool') continue
    for (const word of [...(Array.isArray(spec['aliases']) ? spec['aliases'] : []), name])
      toolRisks.set(`${namespace}/${String(word)}`, riskOf(spec))
  }
  return { hosts, toolRisks }
}

function aroundOf(states: States, builtinToolRisk: EffectsInput['builtinToolRisk']): Around {
  const sides = { before: indexOf(states.before), after: indexOf(states.after) }
  return {
    hosts: (side, selector) => {
      const wanted = isObject(selector) ? selector['matchLabels'] : undefined
      return sides[side].hosts.flatMap(([name, labels]) => (fits(labels, wanted) ? [name] : []))
    },
    toolRisk: (side, name, namespace) =>
      sides[side].toolRisks.get(`${namespace}/${name}`) ?? builtinToolRisk(name) ?? 'high',
  }
}

function fits(labels: Json | undefined, wanted: unknown): boolean {
  if (!isObject(wanted)) return true
  return Object.entries(wanted).every(([name, value]) => isObject(labels) && labels[name] === value)
}
