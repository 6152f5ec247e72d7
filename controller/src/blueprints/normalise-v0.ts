import type { SpecProblem } from '../kinds/definition.ts'
import { API_VERSION, GROUP } from '../kinds/definition.ts'
import { validateBlueprintV0 } from '../kinds/validate.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import { PointerMap } from './pointer-map.ts'
import { checkV0, nameOfId } from './v0-checks.ts'

/**
 * The flat first format of blueprints (`id`, `trigger`, `plan`, no apiVersion) as a v1alpha1 document. Both say the same, so everything
 * behind this reader knows one format only.
 */

/** What a v0 document became. The names are those the parser asks a reader of former formats for. */
export interface NormalisedBlueprint {
  /** The v1alpha1 document; null when the v0 document is too broken to make one. */
  readonly document: Readonly<Record<string, unknown>> | null
  /** Who it is, when its id can be read; null otherwise. */
  readonly identity: { readonly kind: string; readonly name: string } | null
  /** With pointers of the v0 document. */
  readonly problems: readonly SpecProblem[]
  /** Where a pointer of the v1alpha1 document stands in the v0 document. */
  readonly pointerInFile: (pointer: string) => string
}

/** Annotation that keeps the id as it was written; the CLI and the API find the blueprint by it, too. */
export const V0_ID_ANNOTATION = `${GROUP}/v0-id`

const STEP_WORDS = new Set(['agent_task', 'action_task', 'gate', 'transform'])

/** Whether a document without apiVersion is a flat blueprint, even a broken one, and not YAML of something else. */
export function isV0Blueprint(document: unknown): document is Readonly<Record<string, unknown>> {
  if (!isObject(document) || 'apiVersion' in document || 'kind' in document) return false
  const { id, trigger, plan } = document
  const triggered = isObject(trigger) && 'event_type' in trigger
  const planned = Array.isArray(plan)
  const steps = planned && plan.some((step) => isObject(step) && STEP_WORDS.has(String(step['kind'])))
  return (triggered && (planned || id !== undefined)) || (steps && (id !== undefined || trigger !== undefined))
}

/** Reads a flat blueprint. Collects every problem; never throws for what somebody wrote. */
export function normaliseV0(document: Readonly<Record<string, unknown>>): NormalisedBlueprint {
  const places = new PointerMap()
  const pointerInFile = (pointer: string) => places.find(pointer)
  const rules = checkV0(document)
  // The schema finds wrong types and unknown fields; what a rule of the format already explained is not told twice.
  const told = (found: SpecProblem) => rules.some((rule) => sameFault(rule, found))
  const problems = [...rules, ...validateBlueprintV0(document).filter((found) => !told(found))]
  const readable = typeof document['id'] === 'string' && !rules.some(({ code }) => code === 'SW_V0_ID')
  const identity = readable ? { kind: 'Blueprint', name: nameOfId(document['id'] as string) } : null
  if (problems.length > 0) return { document: null, identity, problems, pointerInFile }
  return { document: documentOf(document as JsonObject, places), identity, problems, pointerInFile }
}

/** The schema puts a missing or repeated field at the map around it, a rule at the field. */
function sameFault(rule: SpecProblem, found: SpecProblem): boolean {
  if (rule.pointer === found.pointer) return true
  const atParent = found.code === 'SW_MISSING_FIELD' || rule.code === 'SW_V0_DUPLICATE_STEP'
  return atParent && rule.pointer.slice(0, rule.pointer.lastIndexOf('/')) === found.pointer
}

function documentOf(v0: JsonObject, places: PointerMap): JsonObject {
  const id = v0['id'] as string
  const plan = v0['plan'] as JsonObject[]
  const description = v0['description'] ?? v0['name']
  places.leaf('/metadata', '/id')
  places.tree('/spec', '')
  places.leaf('/spec/description', v0['description'] === undefined ? '/name' : '/description')
  places.leaf('/spec/triggers', '/trigger')
  places.leaf('/spec/triggers/0/event', '/trigger/event_type')
  const steps = plan.map((step, i) => stepOf(step, `/plan/${i}`, places))
  const inputs = listOf(v0, 'inputs').map((input, i) => inputOf(input, `/inputs/${i}`, places))
  const outputs = listOf(v0, 'outputs').map((output, i) => {
    if (output['value'] === undefined) places.leaf(`/spec/outputs/${i}/value`, `/outputs/${i}/name`)
    return output
  })
  return {
    apiVersion: API_VERSION,
    kind: 'Blueprint',
    metadata: { name: nameOfId(id), annotations: { [V0_ID_ANNOTATION]: id } },
    spec: {
      ...(description === undefined ? {} : { description }),
      triggers: [{ event: (v0['trigger'] as JsonObject)['event_type']! }],
      ...(inputs.length === 0 ? {} : { inputs }),
      plan: steps,
      ...(outputs.length === 0 ? {} : { outputs }),
    },
  }
}

function listOf(v0: JsonObject, field: string): JsonObject[] {
  const list = v0[field]
  return Array.isArray(list) ? (list as JsonObject[]) : []
}

/** v0 inputs come from the event's field of their name and are required unless they have a default. */
function inputOf(input: JsonObject, pointer: string, places: PointerMap): JsonObject {
  places.leaf(`/spec${pointer}/required`, pointer)
  if (input['from'] === undefined) places.leaf(`/spec${pointer}/from`, `${pointer}/name`)
  const required: JsonObject = input['default'] === undefined ? { required: true } : {}
  return { ...input, ...required, from: input['from'] ?? `event.data.${String(input['name'])}` }
}

const RENAMED: Readonly<Record<string, string>> = { provider: 'agent', prompt_template: 'prompt' }

/** `provider` and `prompt_template` are the older words for `agent` and `prompt`; beside the newer word they are not read. */
function stepOf(step: JsonObject, pointer: string, places: PointerMap): JsonObject {
  const fields: [string, Json][] = []
  for (const [field, value] of Object.entries(step)) {
    const name = RENAMED[field] ?? field
    if (name !== field && step[name] !== undefined) continue
    if (name !== field) places.tree(`/spec${pointer}/${name}`, `${pointer}/${field}`)
    fields.push([name, value])
  }
  return Object.fromEntries(fields)
}
