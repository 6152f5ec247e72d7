import type { ObjectKey } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import { assemble } from './assemble.ts'
import type { Change } from './change-set.ts'
import { blocked, withDeclaration, withoutDeclaration } from './decide-change.ts'
import { edgeReader } from './edges.ts'
import type { EffectiveSpec } from './effective-spec.ts'
import { Evaluator } from './evaluate.ts'
import { limitDeletions } from './limit-deletions.ts'
import { dependencyOrder } from './order.ts'
import { cyclicKeys, duplicateIssue, withSpoiledFiles } from './plan-issues.ts'
import type { Plan, PlanInput } from './planned.ts'
import { duplicateFields } from './unique-fields.ts'

/** desired × actual → what would be done, and why not. Pure: the same inputs give the same plan. */
export function plan(input: PlanInput): Plan {
  const { desired, actual } = input
  const scope = input.scope ?? new Set<ObjectKey>([...desired.keys(), ...actual.keys(), ...desired.identified()])
  const edges = edgeReader(desired)
  const issues: Issue[] = desired.issues()
  const cyclic = cyclicKeys(scope, desired, edges, issues)
  const duplicates = duplicateFields(scope, desired, issues)
  const evaluator = new Evaluator(desired, actual, input.fileOid, input.builtinToolSchema, { cyclic, duplicates })
  const changes = new Map<ObjectKey, Change>()
  const effective = new Map<ObjectKey, EffectiveSpec>()
  const moved: ObjectKey[] = []

  // What an object names comes before it, so that evaluating a long chain never goes deep.
  const order = dependencyOrder([...scope], edges)
  for (const key of order) {
    const declared = desired.all(key)
    const before = actual.get(key) ?? null
    if (declared.length === 0) {
      const change = withoutDeclaration(key, before, desired)
      if (change !== null) changes.set(key, change)
      continue
    }
    if (declared.length > 1) {
      for (const { resource } of declared)
        issues.push(
          duplicateIssue(
            resource,
            declared.map((d) => d.resource),
          ),
        )
      const twice = issues.some(({ code, object }) => code === 'SW_SOURCE_CONFLICT' && object === key)
      changes.set(
        key,
        twice
          ? blocked(key, before, 'SourceConflict', 'declared in Git and in the cluster', declared[0]!.resource)
          : blocked(key, before, 'ValidationFailed', 'declared more than once', declared[0]!.resource),
      )
      continue
    }
    const { resource } = declared[0]!
    const evaluation = evaluator.evaluate(resource)
    const change = withDeclaration(resource, before, evaluation.effective, input)
    if (change === null) {
      // An applied object that lost something it names stays as it is; its own condition tells.
      issues.push(...evaluation.issues.map((issue) => ({ ...issue, severity: 'warning' as const })))
      if (
        before !== null &&
        (before.file !== resource.origin.file ||
          before.document !== resource.origin.document ||
          before.oid !== declared[0]!.oid)
      )
        moved.push(key)
      continue
    }
    issues.push(...evaluation.issues)
    const broken =
      evaluation.issues.some((issue) => issue.severity === 'error') || cyclic.has(key) || duplicates.has(key)
    if (broken && change.action !== 'skip')
      changes.set(
        key,
        blocked(key, before, cyclic.has(key) ? 'DependencyCycle' : 'ValidationFailed', undefined, resource),
      )
    else {
      changes.set(key, change)
      effective.set(key, evaluation.effective)
    }
  }
  const radius = limitDeletions(changes, input)
  // Where everything changes and nothing goes (a first sync) the changes stand in their order already.
  const sorted = (keys: readonly ObjectKey[]) => (keys.length === order.length ? keys : dependencyOrder(keys, edges))
  return assemble(input, changes, withSpoiledFiles(issues, changes, desired), effective, moved, radius, sorted)
}
