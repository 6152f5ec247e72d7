import { type Condition, REASONS } from '../../src/kinds/conditions.ts'
import { kindOf } from '../../src/kinds/registry.ts'
import { keyOf, type ObjectKey } from '../../src/kinds/resource.ts'
import { isObject } from '../../src/lib/json.ts'
import type { WorldObject } from '../../src/reconcile/world.ts'
import type { Sql } from '../../src/store/database.ts'
import { loadObjects } from '../../src/store/queries/objects.ts'

type Subject = Pick<WorldObject, 'kind' | 'namespace' | 'name' | 'generation' | 'status'>

/**
 * Which laws of kstatus an object's status breaks; none = empty. Ready is there; it is never True beside a failing
 * condition that its kind sums it from; nothing was said of a generation that does not exist; reasons come from the kind's
 * closed list; a status holds only fields its kind declares.
 */
function brokenConditionLaws({ kind, generation, status }: Subject): string[] {
  const definition = kindOf(kind)
  if (definition === undefined) return [`there is no kind ${kind}`]
  const { owned, negative, readyFrom } = definition.conditions
  const conditions = status.conditions ?? []
  const byType = new Map(conditions.map((condition) => [condition.type, condition]))
  const broken: string[] = []
  const say = (law: string) => broken.push(law)

  const ready = byType.get('Ready')
  if (ready === undefined) say('it has no Ready')
  if (byType.size < conditions.length) say('a condition is there twice')
  if (byType.get('Reconciling')?.status === 'True' && byType.get('Stalled')?.status === 'True')
    say('it is Reconciling and Stalled at once')
  if (ready?.status === 'True') {
    for (const type of readyFrom) {
      const found = byType.get(type)
      const fails = found !== undefined && found.status !== (negative.includes(type) ? 'False' : 'True')
      if (fails) say(`it is Ready beside ${type}=${found.status}`)
    }
  }
  if ((status.observedGeneration ?? 0) > generation) say(`observedGeneration is beyond ${generation}`)
  for (const condition of conditions) for (const law of brokenByOne(condition, generation)) say(law)
  for (const { type, reason } of conditions) {
    if (!owned.includes(type)) say(`${kind} does not own ${type}`)
    if (!definition.reasons.includes(reason)) say(`${kind} does not list reason ${reason}, which ${type} has`)
  }
  const fields = (definition.status as { properties?: unknown }).properties
  for (const field of Object.keys(status))
    if (!isObject(fields) || !Object.hasOwn(fields, field)) say(`the schema of ${kind} has no status.${field}`)
  return broken
}

function brokenByOne(condition: Condition, generation: number): string[] {
  const { type, status, reason, message, observedGeneration, lastTransitionTime } = condition
  const broken: string[] = []
  if (!Object.hasOwn(REASONS, reason)) broken.push(`${type} has the unknown reason ${reason}`)
  if (!['True', 'False', 'Unknown'].includes(status)) broken.push(`${type} is ${status}`)
  if (message === '') broken.push(`${type} says nothing`)
  if (observedGeneration > generation) broken.push(`${type} was said of generation ${observedGeneration}`)
  if (new Date(lastTransitionTime).toISOString() !== lastTransitionTime) broken.push(`${type} has no proper time`)
  return broken
}

/** Throws with every broken law of every object, and where memory and database tell different stories. */
export async function assertConditionLaws(objects: ReadonlyMap<ObjectKey, WorldObject>, reader: Sql): Promise<void> {
  const broken = [...objects].flatMap(([key, object]) => brokenConditionLaws(object).map((law) => `${key}: ${law}`))
  const rows = (await Array.fromAsync(loadObjects(reader))).flat()
  for (const row of rows) {
    const object = objects.get(keyOf(row))
    if (object === undefined) broken.push(`${keyOf(row)}: the database has it, the controller does not`)
    else if (JSON.stringify(sorted(object.status)) !== JSON.stringify(sorted(row.status)))
      broken.push(`${keyOf(row)}: the database has another status than the controller`)
  }
  if (rows.length < objects.size) broken.push('the controller has objects the database does not have')
  if (broken.length > 0) throw new Error(`condition laws are broken:\n${broken.join('\n')}`)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}
