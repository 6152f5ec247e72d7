import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { CODE_OWNERS_FILES } from '../../kinds/source/code-owners-files.ts'
import type { Issue } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ParseOptions } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { ActualObject, ActualState } from '../../plan/actual-state.ts'
import { type GovernedPlan, governed } from '../../plan/approvals/hold.ts'
import type { DeletionLimit } from '../../plan/blast-radius.ts'
import type { Declared, DesiredState } from '../../plan/desired-state.ts'
import type { EffectsInput } from '../../plan/effects/effects-of.ts'
import { effectsOfPlan } from '../../plan/effects/effects-of-plan.ts'
import type { Outlook } from '../../plan/outlook/outlook.ts'
import { outlookOfPlan } from '../../plan/outlook/outlook-of-plan.ts'
import { plan } from '../../plan/plan.ts'
import type { Plan, PlanInput } from '../../plan/planned.ts'
import type { Revision, Source } from '../../source/ports.ts'
import { BUILTIN_PATH } from './builtin-path.ts'
import type { ChangeGovernor } from './change-governor.ts'
import { FileOids } from './file-oids.ts'
import { locateIssues, type PointerInFile } from './locate-issues.ts'
import type { Observed } from './observed.ts'
import { type RevisionPair, readRevisions, readWholeRevisions } from './read-revisions.ts'

export interface PlanRevisionsOptions {
  readonly parse: ParseOptions
  readonly pointerInFile: PointerInFile
  readonly deletionLimit: DeletionLimit
  readonly builtinToolSchema: PlanInput['builtinToolSchema']
  readonly builtinToolRisk: EffectsInput['builtinToolRisk']
  /** Who has to agree, as of what is applied; left out, nobody is asked. */
  readonly governor?: (applied: ActualState) => ChangeGovernor
  /** Of a proposal: who made it, beside the authors of its commits. */
  readonly proposedBy?: readonly string[]
  /** What the controller declares where the repo does not: looked at where the owners of paths change, which it names. */
  readonly builtin?: (declared: (key: ObjectKey) => boolean) => ParsedFile
  /** False: only their names are known, as in a clone. Default: true. */
  readonly builtinIsKnown?: boolean
  /** Also what the change does not touch is checked, and told when it is wrong. Default: false. */
  readonly everything?: boolean
}

/** A plan with what it does to the world; `newIssues` are those of its issues that `from` does not have. */
export type PlanWithEffects = GovernedPlan & { readonly newIssues: readonly Issue[]; readonly outlook: Outlook }

/**
 * What a change would do, from the repository alone: the tree of `from` stands for what is applied (with the digests that were
 * observed, where something was), the tree of `to` for what is wanted. `from` null = nothing is applied. What the change does
 * not touch is neither checked nor told, unless that is asked for.
 */
export async function planRevisions(
  source: Source,
  from: Pick<Revision, 'commit' | 'tree'> | null,
  to: Revision,
  observed: Observed | null,
  options: PlanRevisionsOptions,
): Promise<PlanWithEffects> {
  const builtin = from !== null && (await ownersMove(source, from.tree, to.tree)) ? (options.builtin ?? null) : null
  const pair =
    from === null || options.everything === true
      ? await readWholeRevisions(source, from, to, { parse: options.parse, builtin })
      : await readRevisions(source, from, to, { parse: options.parse, builtin, observed })
  const applied = from === null ? NOTHING : await appliedAt(source, from, pair, observed, options)
  const at = { tree: to.tree, desired: pair.wanted, scope: pair.scope }
  const made = await planAt(source, to.commit, at, applied.actual, from?.commit ?? null, options)
  const issues = await locateIssues(
    made.issues,
    source,
    (path) => pair.wanted.file(path),
    options.pointerInFile,
    options.parse.limits.maxFileBytes,
  )
  const known = new Set(applied.issues.map(issueKey))
  const does = effectsOfPlan(made, applied.actual, options.builtinToolRisk)
  const { proposedBy } = options
  const planned = {
    ...{ commit: to.commit, tree: to.tree, applied: from?.commit ?? null, desired: pair.wanted },
    ...(proposedBy === undefined ? {} : { proposedBy }),
  }
  const governance = (await options.governor?.(applied.actual).gather(made, does, planned)) ?? null
  const decided = governed(made, does, governance)
  const told = (await observed?.statuses(askedAbout(decided, applied.actual, pair.base))) ?? null
  return {
    ...decided,
    issues,
    newIssues: issues.filter((issue) => !known.has(issueKey(issue))),
    outlook: outlookOfPlan(decided, applied.actual, told),
  }
}

async function ownersMove(source: Source, from: string, to: string): Promise<boolean> {
  for (const path of CODE_OWNERS_FILES) {
    const [was, is] = [await source.oidOf(from, path), await source.oidOf(to, path)]
    if (was?.oid !== is?.oid) return true
  }
  return false
}

/** Whose status tells what comes of a change: budgets, and blueprints that change or name what does. */
function askedAbout({ changes }: GovernedPlan, actual: ActualState, base: DesiredState): Set<ObjectKey> {
  const keys = new Set<ObjectKey>()
  if (changes.length === 0) return keys
  for (const change of changes) {
    const key = keyOf(change)
    if (change.kind === 'Blueprint') keys.add(key)
    for (const namer of base.namedBy(key)) if (namer.startsWith('Blueprint/')) keys.add(namer)
  }
  for (const [key, { kind }] of actual) if (kind === 'Budget') keys.add(key)
  return keys
}

/** The same problem before and after, wherever in its file it stands by now. */
function issueKey({ code, file, object, pointer, message }: Issue): string {
  return JSON.stringify([code, file, object, pointer, message])
}

interface Applied {
  readonly actual: ReadonlyMap<ObjectKey, ActualObject>
  readonly issues: readonly Issue[]
}

const NOTHING: Applied = { actual: new Map(), issues: [] }

/** All objects of a tree, as if it had been applied to nothing: those that are looked at if they are sound, the others as they are. */
async function appliedAt(
  source: Source,
  revision: Pick<Revision, 'commit' | 'tree'>,
  { base, checked }: RevisionPair,
  observed: Observed | null,
  options: PlanRevisionsOptions,
): Promise<Applied> {
  const at = { tree: revision.tree, desired: base, scope: checked }
  const made = await planAt(source, revision.commit, at, NOTHING.actual, null, options)
  const known = (await observed?.statuses(made.effective.keys())) ?? new Map<ObjectKey, JsonObject>()
  const applied = new Map<ObjectKey, ActualObject>()
  for (const key of checked === null ? [] : base.keys()) {
    const declared = checked!.has(key) ? null : base.get(key)
    if (declared !== null)
      applied.set(
        key,
        objectOf(declared, () => declared.resource.specDigest),
      )
  }
  for (const change of made.changes) {
    const key = keyOf(change)
    const declared = base.get(key)
    const effective = made.effective.get(key)
    if (change.action !== 'create' || declared === null || effective === undefined) continue
    // What no document declares may be declared otherwise where it is applied.
    const digest =
      options.builtinIsKnown === false && declared.resource.origin.file === BUILTIN_PATH
        ? null
        : known.get(key)?.['effectiveDigest']
    applied.set(
      key,
      objectOf(declared, () => (typeof digest === 'string' ? digest : effective.digest)),
    )
  }
  return { actual: applied, issues: made.issues }
}

/** What nothing is asked about is never read, nor its digest worked out. */
function objectOf({ resource, oid }: Declared, effectiveDigest: () => string): ActualObject {
  const { kind, namespace, name, origin } = resource
  return {
    ...{ kind, namespace, name, oid },
    ...{ uid: '', generation: 1, deleting: false },
    get labels() {
      return resource.labels
    },
    get annotations() {
      return resource.annotations
    },
    get spec() {
      return resource.spec
    },
    get specDigest() {
      return resource.specDigest
    },
    get effectiveDigest() {
      return effectiveDigest()
    },
    file: origin.file,
    document: origin.document,
  }
}

async function planAt(
  source: Source,
  toRevision: string,
  {
    tree,
    desired,
    scope,
  }: { readonly tree: string; readonly desired: DesiredState; readonly scope: PlanInput['scope'] },
  actual: ActualState,
  fromRevision: string | null,
  options: PlanRevisionsOptions,
): Promise<Plan> {
  const oids = new FileOids(source)
  await oids.load(desired, tree, scope === null ? undefined : desired.neededBy(scope))
  return plan({
    ...{ desired, actual, scope, fromRevision, toRevision },
    fileOid: (path) => oids.get(path),
    builtinToolSchema: options.builtinToolSchema,
    deletionLimit: options.deletionLimit,
    deletions: { recent: new Map(), approved: new Set() },
  })
}
