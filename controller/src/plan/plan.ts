import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type Resource, refOf } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import type { Issue } from '../lib/issue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { ActualObject, ActualState } from './actual-state.ts'
import { blastRadius, type DeletionHistory, type DeletionLimit } from './blast-radius.ts'
import { ACTIONS, type Action, type Change, type ChangeSet } from './change-set.ts'
import { findCycles } from './cycles.ts'
import { type DesiredState, targetKey } from './desired-state.ts'
import type { EffectiveSpec } from './effective-spec.ts'
import { Evaluator, issueOf } from './evaluate.ts'
import { fieldChanges } from './field-changes.ts'
import { dependencyOrder } from './order.ts'
import { duplicateFields } from './unique-fields.ts'

export interface PlanInput {
  readonly desired: DesiredState
  readonly actual: ActualState
  /** The objects to look at ({@link affectedBy}); null = all. */
  readonly scope: ReadonlySet<ObjectKey> | null
  readonly fromRevision: string | null
  readonly toRevision: string
  /** The oid of a file or directory of the repo at `toRevision`. */
  readonly fileOid: (path: string) => string | null
  readonly builtinToolSchema: (name: string) => JsonObject | null
  readonly deletionLimit: DeletionLimit
  readonly deletions: DeletionHistory
}

export interface Plan extends ChangeSet {
  /** What each created or updated object comes to. */
  readonly effective: ReadonlyMap<ObjectKey, EffectiveSpec>
  /** Unchanged objects whose document moved to another file or place. */
  readonly moved: readonly ObjectKey[]
  /** Objects that are blocked or skipped: to be looked at again with the next change. */
  readonly pending: ReadonlySet<ObjectKey>
  /** Digest of deletions that wait for `approve deletions`; null when none do. */
  readonly blockedDeletions: string | null
}

/** desired × actual → what would be done, and why not. Pure: the same inputs give the same plan. */
export function plan(input: PlanInput): Plan {
  const { desired, actual } = input
  const scope = input.scope ?? new Set<ObjectKey>([...desired.keys(), ...actual.keys(), ...identifiedKeys(desired)])
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
      changes.set(key, blocked(key, before, 'ValidationFailed', 'declared more than once', declared[0]!.resource))
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

/** What would only be odd in a file of somebody else is an error where objects were applied from it. */
function withSpoiledFiles(
  issues: readonly Issue[],
  changes: ReadonlyMap<ObjectKey, Change>,
  desired: DesiredState,
): Issue[] {
  const spoiled = new Set(
    [...changes.values()].flatMap(({ action, file }) =>
      action === 'blocked' && file !== undefined && desired.file(file)?.unreadable === true ? [file] : [],
    ),
  )
  return issues.map((issue) =>
    issue.file !== undefined && issue.object === undefined && spoiled.has(issue.file)
      ? {
          ...issue,
          severity: 'error',
          hint: `${remedyOf(issue)}; what was applied from it keeps its last good revision`,
        }
      : issue,
  )
}

function remedyOf(issue: Issue): string {
  return issue.code === 'SW_FOREIGN_UNREADABLE' ? 'correct it' : issue.hint
}

function* identifiedKeys(desired: DesiredState): Iterable<ObjectKey> {
  for (const file of desired.troubled()) yield* file.identified
}

/** An object with one declaration: create, update, skip, or null for unchanged. */
function withDeclaration(
  resource: Resource,
  before: ActualObject | null,
  effective: EffectiveSpec,
  input: PlanInput,
): Change | null {
  const base = {
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    file: resource.origin.file,
    toDigest: effective.digest,
  }
  const notYet = kindOf(resource.kind)?.notYetEnforced === true ? { notYetEnforced: true } : {}
  if (before === null) return { ...base, ...notYet, action: 'create', fields: [], fromDigest: null }
  if (before.deleting) {
    return {
      ...base,
      action: 'skip',
      reason: 'Terminating',
      message: 'it is still being removed; it is created again afterwards',
      fields: [],
      fromDigest: before.effectiveDigest,
    }
  }
  const fields = [
    ...fieldChanges(before.labels, resource.labels, '/metadata/labels'),
    ...fieldChanges(before.annotations, resource.annotations, '/metadata/annotations'),
    ...(before.specDigest === resource.specDigest ? [] : fieldChanges(before.spec, resource.spec, '/spec')),
  ]
  if (fields.length === 0 && before.effectiveDigest === effective.digest) return null
  if (resource.annotations['stateward.dev/reconcile'] === 'disabled') {
    return {
      ...base,
      action: 'skip',
      reason: 'Suspended',
      message: 'annotation stateward.dev/reconcile: disabled',
      fields,
      fromDigest: before.effectiveDigest,
    }
  }
  return {
    ...base,
    ...notYet,
    ...causeOf(resource, before, effective, input),
    action: 'update',
    fields,
    fromDigest: before.effectiveDigest,
  }
}

/** What made an object another one though its own document says the same: what it inherits from, or its files. */
function causeOf(
  resource: Resource,
  before: ActualObject,
  effective: EffectiveSpec,
  input: PlanInput,
): { reason?: string } {
  if (before.specDigest !== resource.specDigest || before.effectiveDigest === effective.digest) return {}
  const changed = effective.from.filter(
    (key) => input.actual.get(key)?.specDigest !== input.desired.get(key)?.resource.specDigest,
  )
  const files = (kindOf(resource.kind)?.files(effective.spec) ?? []).map((file) => file.path)
  const causes = changed.length > 0 ? changed : files.length > 0 ? files : effective.from
  return causes.length === 0 ? {} : { reason: `cause: ${[...new Set(causes)].join(', ')}` }
}

/** An object no document declares: delete, or why not; null when there is nothing to do. */
function withoutDeclaration(key: ObjectKey, before: ActualObject | null, desired: DesiredState): Change | null {
  const broken = [...desired.troubled()].find((file) => file.identified.includes(key))
  if (broken !== undefined) return { ...blocked(key, before, 'ValidationFailed', undefined), file: broken.path }
  if (before === null || before.deleting) return null
  const own = desired.file(before.file)
  if (own?.unidentified === true || own?.unreadable === true)
    return { ...blocked(key, before, 'ValidationFailed', `its file ${own.path} cannot be read`), file: own.path }
  // A broken file that mentions its name may be where this object moved to.
  const stranger = [...desired.troubled()].find((file) => file.unidentified && file.words?.has(before.name) !== false)
  if (stranger !== undefined) {
    return {
      ...blocked(
        key,
        before,
        'ValidationFailed',
        `not deleted while ${stranger.path} cannot be read: it may be declared there`,
      ),
      file: stranger.path,
    }
  }
  const base = { ...refOf(key), fields: [], fromDigest: before.effectiveDigest, toDigest: null, file: before.file }
  if (before.annotations['stateward.dev/prune'] === 'disabled') {
    return { ...base, action: 'skip', reason: 'Suspended', message: 'annotation stateward.dev/prune: disabled' }
  }
  return { ...base, action: 'delete' }
}

function blocked(
  key: ObjectKey,
  before: ActualObject | null,
  reason: string,
  message: string | undefined,
  resource?: Resource,
): Change {
  return {
    ...refOf(key),
    action: 'blocked',
    reason,
    ...(message === undefined ? {} : { message }),
    ...(resource === undefined ? {} : { file: resource.origin.file }),
    fields: [],
    fromDigest: before?.effectiveDigest ?? null,
    toDigest: before?.effectiveDigest ?? null,
  }
}

const MAX_CYCLE_SHOWN = 10

function cyclicKeys(
  scope: ReadonlySet<ObjectKey>,
  desired: DesiredState,
  edges: Edges,
  issues: Issue[],
): ReadonlySet<ObjectKey> {
  const cyclic = new Set<ObjectKey>()
  for (const cycle of findCycles(scope, edges)) {
    const shown =
      cycle.length > MAX_CYCLE_SHOWN
        ? [...cycle.slice(0, MAX_CYCLE_SHOWN), `… ${cycle.length - MAX_CYCLE_SHOWN} more`]
        : cycle
    const text = [...shown, cycle[0]!].join(' → ')
    for (const [i, key] of cycle.entries()) {
      cyclic.add(key)
      const resource = desired.get(key)?.resource
      if (resource === undefined) continue
      const next = cycle[(i + 1) % cycle.length]!
      const reference = (kindOf(resource.kind)?.references(resource.spec) ?? []).find(
        (ref) => targetKey(ref.kind, resource.namespace, ref.name) === next,
      )
      issues.push(
        issueOf(
          {
            code: 'SW_DEPENDENCY_CYCLE',
            pointer: reference?.pointer ?? '',
            message: `it depends on itself: ${text}`,
            hint: 'remove one of these references',
          },
          resource,
        ),
      )
    }
  }
  return cyclic
}

type Edges = (key: ObjectKey) => readonly ObjectKey[]

/** What each object needs, looked up once. */
function edgeReader(desired: DesiredState): Edges {
  const known = new Map<ObjectKey, ObjectKey[]>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const edges = edgesOf(key, desired)
    known.set(key, edges)
    return edges
  }
}

function edgesOf(key: ObjectKey, desired: DesiredState): ObjectKey[] {
  const resource = desired.get(key)?.resource
  return resource === undefined ? [] : neededBy(resource)
}

function neededBy({ kind, namespace, spec }: Pick<Resource, 'kind' | 'namespace' | 'spec'>): ObjectKey[] {
  return (kindOf(kind)?.references(spec) ?? [])
    .filter((reference) => reference.strength === 'required')
    .map((reference) => targetKey(reference.kind, namespace, reference.name))
}

function duplicateIssue(resource: Resource, all: readonly Resource[]): Issue {
  const others = all.filter((other) => other !== resource).map((other) => other.origin.file)
  return issueOf(
    {
      code: 'SW_DUPLICATE_OBJECT',
      pointer: '/metadata/name',
      message: `${keyOf(resource)} is also declared in ${[...new Set(others)].join(', ')}`,
      hint: 'keep one of the documents',
    },
    resource,
  )
}

/** Turns deletions over the limit into `blocked (BlastRadius)`. */
function limitDeletions(changes: Map<ObjectKey, Change>, input: PlanInput): string | null {
  const deletions = [...changes].filter(([, change]) => change.action === 'delete').map(([key]) => key)
  if (deletions.length === 0) return null
  const counts = new Map<string, number>()
  for (const object of input.actual.values())
    if (!object.deleting) counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1)
  const radius = blastRadius(deletions, (kind) => counts.get(kind) ?? 0, input.deletionLimit, input.deletions)
  for (const key of radius.blocked) {
    const before = input.actual.get(key)!
    changes.set(key, {
      ...blocked(
        key,
        before,
        'BlastRadius',
        `${radius.message}: run \`stateward approve deletions ${input.toRevision.slice(0, 12)}\` to let exactly these through`,
      ),
      file: before.file,
    })
  }
  return radius.digest
}

function assemble(
  input: PlanInput,
  changes: Map<ObjectKey, Change>,
  issues: readonly Issue[],
  effective: Map<ObjectKey, EffectiveSpec>,
  moved: readonly ObjectKey[],
  blockedDeletions: string | null,
  sorted: (keys: readonly ObjectKey[]) => readonly ObjectKey[],
): Plan {
  const edgesBefore = (key: ObjectKey) => neededBy(input.actual.get(key)!)
  const deletes = [...changes].filter(([, change]) => change.action === 'delete').map(([key]) => key)
  const others = [...changes].filter(([, change]) => change.action !== 'delete').map(([key]) => key)
  const ordered = [...sorted(others), ...dependencyOrder(deletes, edgesBefore).reverse()].map(
    (key) => changes.get(key)!,
  )
  const counts = Object.fromEntries(ACTIONS.map((action) => [action, 0])) as Record<Action, number>
  for (const change of ordered) counts[change.action]++
  counts.unchanged = total(input) - ordered.length
  const pending = new Set(
    ordered.filter((change) => change.action === 'blocked' || change.action === 'skip').map(keyOf),
  )
  const decided = ordered.map(({ kind, namespace, name, action, fromDigest, toDigest }) => ({
    kind,
    namespace,
    name,
    action,
    from: fromDigest,
    to: toDigest,
  }))
  return {
    fromRevision: input.fromRevision,
    toRevision: input.toRevision,
    changes: ordered,
    counts,
    issues: dedupe(issues),
    ignored: input.desired.ignored(),
    digest: digestOf(decided),
    effective,
    moved,
    pending,
    blockedDeletions,
  }
}

/** Objects that are declared or applied; those already being removed are not counted. */
function total(input: PlanInput): number {
  const { desired, actual } = input
  const beside = new Set<ObjectKey>()
  for (const key of identifiedKeys(desired)) if (desired.all(key).length === 0) beside.add(key)
  for (const [key, object] of actual) if (!object.deleting && desired.all(key).length === 0) beside.add(key)
  return desired.size + beside.size
}

function dedupe(issues: readonly Issue[]): Issue[] {
  const seen = new Map<string, Issue>()
  for (const issue of issues)
    seen.set(`${issue.code} ${issue.file} ${issue.document} ${issue.line} ${issue.pointer} ${issue.message}`, issue)
  return [...seen.values()]
}
