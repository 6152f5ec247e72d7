import Type from 'typebox'
import { syncById } from '../../../store/queries/syncs-read.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only } from '../schemas.ts'
import { Counts, Issues, SourceParams, Sync, sampleSync, syncWithChanges } from './sync-dto.ts'

export const syncSource = route({
  operation: 'syncSource',
  method: 'POST',
  path: '/api/v1/sources/{source}/sync',
  tag: 'sources',
  access: 'objects.reconcile',
  summary: 'Read a source now and wait until its head was accepted or refused',
  description: '`sync` is null when nothing had changed; `counts` and `issues` then say how everything stands.',
  params: SourceParams,
  answers: {
    200: Type.Object(
      {
        revision: Type.String(),
        sync: Nullable(Sync),
        counts: Counts,
        issues: Issues,
        correlation_id: Type.String(),
      },
      { title: 'SourceSync' },
    ),
  },
  example: {
    params: { source: 'default' },
    answer: {
      revision: SAMPLE.revision,
      sync: sampleSync,
      counts: sampleSync.counts,
      issues: [],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, signal, caller, correlationId }, { services, store }) {
    const { revision, syncId, standing } = await services.sources.sync(params.source, { signal }, caller)
    const row = syncId === null ? null : await syncById(store.engine, syncId)
    const sync = row === null ? null : syncWithChanges(row)
    // Without a sync: how everything stands, which is what a plan of this head says.
    const { counts, issues } = sync ?? standing
    return { revision, sync, counts, issues, correlation_id: correlationId }
  },
})

export const approveDeletions = route({
  operation: 'approveDeletions',
  method: 'POST',
  path: '/api/v1/sources/{source}/deletions/approve',
  tag: 'sources',
  access: 'deletions.approve',
  summary: 'Let the deletions of a revision through that the blast-radius limit holds back',
  params: SourceParams,
  body: only({ revision: Type.String({ minLength: 4, maxLength: 128 }) }),
  answers: {
    200: Type.Object(
      { revision: Type.String(), deletions: Type.Integer(), correlation_id: Type.String() },
      { title: 'DeletionsApproved' },
    ),
  },
  example: {
    params: { source: 'default' },
    body: { revision: '3f2a91c' },
    answer: { revision: SAMPLE.revision, deletions: 12, correlation_id: SAMPLE.correlation },
  },
  answer: async ({ params, body, caller, correlationId }, { services }) => ({
    ...(await services.sources.approveDeletions(params.source, body.revision, caller)),
    correlation_id: correlationId,
  }),
})
