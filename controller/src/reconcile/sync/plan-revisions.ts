import { load } from 'js-yaml'
import { kindByPlural } from '../../kinds/registry.ts'
import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import type { Issue } from '../../lib/issue.ts'
import { isObject, valueAt } from '../../lib/json.ts'
import type { ParseOptions } from '../../parse/parse-file.ts'
import type { ActualObject, ActualState } from '../../plan/actual-state.ts'
import { type GovernedPlan, governed } from '../../plan/approvals/hold.ts'
import type { DeletionLimit } from '../../plan/blast-radius.ts'
import { DesiredState } from '../../plan/desired-state.ts'
import type { EffectsInput } from '../../plan/effects/effects-of.ts'
import { effectsOfPlan } from '../../plan/effects/effects-of-plan.ts'
import { plan } from '../../plan/plan.ts'
import type { PlanInput } from '../../plan/planned.ts'
import type { Revision, Source } from '../../source/ports.ts'
import type { ChangeGovernor } from './change-governor.ts'
import { FileOids } from './file-oids.ts'
import { locateIssues, type PointerInFile } from './locate-issues.ts'
import { parseFiles } from './parse-files.ts'

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
}

/** A plan with what it does to the world; `newIssues` are those of its issues that `from` does not have. */
export type PlanWithEffects = GovernedPlan & { readonly newIssues: readonly Issue[] }

/** Effective digests as the status branch last told them, by object. */
export type Observed = ReadonlyMap<ObjectKey, string>

/**
 * What a change would do, from the repository alone: the tree of `from` stands for what is applied (with the digests the
 * status branch observed, where there is one), the tree of `to` for what is wanted. `from` null = nothing is applied.
 */
export async function planRevisions(
  source: Source,
  from: Pick<Revision, 'commit' | 'tree'> | null,
  to: Revision,
  observed: Observed | null,
  options: PlanRevisionsOptions,
): Promise<PlanWithEffects> {
  const applied = from === null ? NOTHING : await appliedAt(source, from, observed, options)
  const { made, desired } = await planAt(source, to, applied, from?.commit ?? null, options)
  const issues = await locateIssues(
    made.issues,
    source,
    (path) => desired.file(path),
    options.pointerInFile,
    options.parse.limits.maxFileBytes,
  )
  const known = new Set(applied.issues.map(issueKey))
  const does = effectsOfPlan(made, applied.actual, options.builtinToolRisk)
  const { proposedBy = [] } = options
  const at = { commit: to.commit, tree: to.tree, applied: from?.commit ?? null, desired, proposedBy }
  const governance = (await options.governor?.(applied.actual).gather(made, does, at)) ?? null
  return {
    ...governed(made, does, governance),
    issues,
    newIssues: issues.filter((issue) => !known.has(issueKey(issue))),
  }
}

/** The same problem before and after, wherever in its file it stands by now. */
function issueKey({ code, file, object, pointer, message }: Issue): string {
  return JSON.stringify([code, file, object, pointer, message])
}

interface Applied {
  readonly actual: ReadonlyMap<ObjectKey, ActualObject>
  readonly issues: readonly Issue[]
  readonly desired: DesiredState
}

const NOTHING: Applied = { actual: new Map(), issues: [], desired: new DesiredState() }

/** All objects of a tree, as if it had been applied to nothing. */
async function appliedAt(
  source: Source,
  revision: Pick<Revision, 'commit' | 'tree'>,
  observed: Observed | null,
  options: PlanRevisionsOptions,
): Promise<Applied> {
  const { made, desired } = await planAt(source, revision, NOTHING, null, options)
  const applied = new Map<ObjectKey, ActualObject>()
  for (const change of made.changes) {
    const key = keyOf(change)
    const declared = desired.get(key)
    const effective = made.effective.get(key)
    if (change.action !== 'create' || declared === null || effective === undefined) continue
    const { kind, namespace, name, labels, annotations, spec, specDigest, origin } = declared.resource
    const effectiveDigest = observed?.get(key) ?? effective.digest
    applied.set(key, {
      kind,
      namespace,
      name,
      uid: '',
      generation: 1,
      labels,
      annotations,
      spec,
      specDigest,
      effectiveDigest,
      file: origin.file,
      document: origin.document,
      oid: declared.oid,
      deleting: false,
    })
  }
  return { actual: applied, issues: made.issues, desired }
}

async function planAt(
  source: Source,
  revision: Pick<Revision, 'commit' | 'tree'>,
  applied: Applied,
  fromRevision: string | null,
  options: PlanRevisionsOptions,
) {
  const desired = new DesiredState()
  const files = (await source.changes(null, revision.tree)).flatMap(({ to }) => (to === null ? [] : [to]))
  // The same bytes at the same place say the same: of two revisions most files are.
  const known = new Map(
    files.flatMap(({ path, oid }) => {
      const file = applied.desired.file(path)
      return file?.oid === oid ? [[path, file] as const] : []
    }),
  )
  const unread = files.filter(({ path }) => !known.has(path))
  for await (const file of parseFiles(source, unread, options.parse)) known.set(file.path, file)
  // In the order of the tree, whatever was read: of two that say the same, the later one is told to be the copy.
  for (const { path } of files) {
    const file = known.get(path)
    if (file !== undefined) desired.put(file)
  }
  const oids = new FileOids(source)
  await oids.load(desired, revision.tree)
  const made = plan({
    desired,
    actual: applied.actual,
    scope: null,
    fromRevision,
    toRevision: revision.commit,
    fileOid: (path) => oids.get(path),
    builtinToolSchema: options.builtinToolSchema,
    deletionLimit: options.deletionLimit,
    deletions: { recent: new Map(), approved: new Set() },
  })
  return { made, desired }
}

/** Reads one file of the status branch: whose digest it tells. Undefined for anything that is not a status file. */
export function observedDigest(text: string): readonly [ObjectKey, string] | undefined {
  const document = load(text)
  const digest = valueAt(document, '/status/effectiveDigest')
  const kind = valueAt(document, '/kind')
  const metadata = valueAt(document, '/metadata')
  if (typeof digest !== 'string' || typeof kind !== 'string' || !isObject(metadata) || kindByPlural(kind) === undefined)
    return undefined
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : ''
  return [keyOf({ kind, namespace, name: String(metadata['name']) }), digest]
}
