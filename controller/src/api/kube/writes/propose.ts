import type { FastifyReply, FastifyRequest } from 'fastify'
import { GROUP } from '../../../kinds/definition.ts'
import type { ObjectRef, ObjectView } from '../../../kinds/resource.ts'
import { sha256 } from '../../../lib/digest.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { StatewardError } from '../../../lib/errors.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { mergePatchBetween } from '../../../lib/merge-patch.ts'
import { openOfBranch } from '../../../store/queries/proposals.ts'
import { authorize } from '../../auth/authorize.ts'
import type { ApiContext } from '../../context.ts'
import { callerOf } from '../../http/request-context.ts'
import type { Proposal, ProposalOptions } from '../../ports/proposals.ts'
import { apiVersionOf, type ServedGroup, type ServedResource } from '../served-resource.ts'
import { isForApply, lastAppliedOf } from './last-applied.ts'
import { asksOf, type Said, saidOf } from './sent-object.ts'
import { warningHeader } from './warning.ts'

/** A write, as it was asked for. */
export interface Write {
  readonly context: ApiContext
  readonly group: ServedGroup
  readonly resource: ServedResource
  readonly ref: ObjectRef
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** `?dryRun=All`: everything is checked, nothing is written. */
  readonly dryRun: boolean
}

/** All that one kubectl command asks for stands on one branch. */
function batchOf({ headers, principal }: Pick<FastifyRequest, 'headers' | 'principal'>): string | undefined {
  const session = headers['kubectl-session']
  if (typeof session !== 'string' || !/^[0-9a-fA-F-]{8,64}$/.test(session)) return undefined
  return `kubectl-${sha256(`${principal.name} ${session}`).slice(0, 10)}`
}

/** Makes an object what it was sent as. Answers with it as it will be. */
export async function proposeObject(write: Write, wanted: JsonObject, current: ObjectView | null): Promise<unknown> {
  const { context, ref } = write
  const said = saidOf(wanted)
  const options = optionsOf(write, asksOf(wanted).land)
  const { proposals } = context.services
  if (current === null) {
    const folder = write.resource.plural
    const object = { ...ref, spec: said.spec, ...notesOf(said) }
    const made = await named(ref, proposals.create(object, { ...options, folder }, callerOf(write.request)))
    return answered(write, newView(write, wanted), made)
  }
  const before = saidOf(current)
  const change = mergePatchBetween(
    { metadata: { labels: before.labels, annotations: before.annotations }, spec: before.spec },
    { metadata: { labels: said.labels, annotations: said.annotations }, spec: said.spec },
  )
  // Git says so already.
  if (change === undefined) return remembered(write, current, current)
  const made = await named(ref, proposals.update(ref, change as JsonObject, options, callerOf(write.request)))
  const { annotations: _annotations, labels: _labels, ...kept } = current.metadata
  const metadata = { ...kept, ...notesOf(said) }
  return answered(write, { ...current, metadata, spec: said.spec }, made, current)
}

/** Takes an object out of Git. */
export async function proposeRemoval(write: Write, current: ObjectView): Promise<unknown> {
  const { context, ref, group, resource, request, reply, dryRun } = write
  const made = await context.services.proposals.remove(ref, optionsOf(write, undefined), callerOf(request))
  await tell(write, made)
  reply.status(202)
  // With its own uid kubectl would wait until it is gone.
  const uid = dryRun || made.merged ? current.metadata.uid : `proposal-${made.commit}`
  const details = { name: ref.name, group: group.group, kind: resource.plural, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

function optionsOf(write: Write, land: string | undefined): ProposalOptions {
  const { request, dryRun } = write
  if (land !== undefined && land !== 'direct')
    throw fail('SW_BAD_REQUEST', `annotation stateward.dev/land is "${land}", not "direct"`)
  const merge = land === 'direct'
  // Whoever may push the protected branch may also have it written.
  if (merge) authorize(request.principal, 'git.push.protected')
  const batch = merge ? undefined : batchOf(request)
  return { reason: null, merge, ...(dryRun ? { dryRun } : {}), ...(batch === undefined ? {} : { batch }) }
}

/** The object as it will be, with the branch it stands on. */
async function answered(
  write: Write,
  view: ObjectView,
  made: Proposal,
  current: ObjectView | null = null,
): Promise<ObjectView> {
  await tell(write, made)
  const proposed = made.branch === null ? {} : { 'stateward.dev/proposal': made.branch }
  return remembered(write, annotated(view, proposed), current)
}

/** In a dry run with what was applied last, where that is asked for: a comparison would take its absence for a change. */
function remembered(write: Write, view: ObjectView, current: ObjectView | null): ObjectView {
  const isCompared = write.dryRun && current !== null && isForApply(write.request.headers)
  return isCompared ? annotated(view, lastAppliedOf(current)) : view
}

function annotated(view: ObjectView, added: Readonly<Record<string, string>>): ObjectView {
  if (Object.keys(added).length === 0) return view
  const annotations = { ...view.metadata.annotations, ...added }
  return { ...view, metadata: { ...view.metadata, annotations } }
}

/** Says in its error which object does not fit. */
async function named<T>(ref: ObjectRef, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof StatewardError) || error.ref !== 'SW_VALIDATION_FAILED') throw error
    const details = { ...error.details, name: ref.name, group: GROUP, kind: ref.kind }
    throw fail('SW_VALIDATION_FAILED', error.message, { details, cause: error })
  }
}

/** Says, where kubectl prints it, that nothing has changed yet, and what changes it. */
async function tell({ context, reply, dryRun }: Write, made: Proposal): Promise<void> {
  if (dryRun || made.branch === null) return
  const row = await openOfBranch(context.store.engine, made.branch)
  const merge = row === null ? `git merge ${made.branch}` : `stateward proposals merge ${row.proposal_id}`
  const done = made.reused ? 'was proposed already' : 'is proposed'
  reply.header(
    'warning',
    warningHeader(`it ${done} on branch ${made.branch}, and changes nothing before it is merged: ${merge}`),
  )
}

/** An object that is nowhere yet. */
function newView({ ref, group, context, reply, dryRun }: Write, wanted: JsonObject): ObjectView {
  const said = saidOf(wanted)
  if (!dryRun) reply.status(202)
  return {
    apiVersion: apiVersionOf(group),
    kind: ref.kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      ...notesOf(said),
      uid: '',
      generation: 1,
      resourceVersion: '',
      creationTimestamp: context.clock.now().toISOString(),
    },
    spec: said.spec,
    status: {},
  }
}

/** Labels and annotations, where there are any. */
function notesOf({ labels, annotations }: Said): Partial<Pick<Said, 'labels' | 'annotations'>> {
  return {
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}
