import Type, { type Static } from 'typebox'
import type { DashboardSpec } from '../../../kinds/dashboard/dashboard.schema.ts'
import {
  declaredDashboards,
  healthByKind,
  queueCounts,
  type SourceStanding,
  sourceStandings,
} from '../../../store/queries/overview.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { CommitDto, sampleFacts } from '../objects/commit-dto.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time } from '../schemas.ts'

const Revision = Type.Object(
  { revision: Type.String(), commit: Nullable(CommitDto) },
  { title: 'OverviewRevision', description: '`commit` is null for a plain folder, or when the repository has lost it' },
)

const OverviewSource = Type.Object(
  {
    name: Type.String(),
    ref: Nullable(Type.String()),
    mode: Nullable(Type.String()),
    state: Type.Enum(['synced', 'partial', 'behind', 'failed', 'unknown'], {
      description:
        'synced: what was read is applied; partial: it is, but for objects that are blocked or broken; behind: it is not yet, or was refused; failed: it cannot be read',
    }),
    message: Type.String(),
    issues: Type.Integer(),
    desired: Nullable(Revision),
    applied: Nullable(Revision),
    synced_at: Nullable(Time),
  },
  { title: 'OverviewSource' },
)

const Widget = Type.Object(
  {
    type: Type.String(),
    x: Type.Integer(),
    y: Type.Integer(),
    w: Type.Integer(),
    h: Type.Integer(),
    title: Nullable(Type.String()),
  },
  { title: 'DashboardWidget' },
)

const count = Type.Integer()
const Overview = Type.Object(
  {
    sources: Type.Array(OverviewSource),
    objects: Type.Array(
      Type.Object({ kind: Type.String(), ready: count, not_ready: count, unknown: count, suspended: count }),
      { description: 'how many of each kind are Ready, are not, or say nothing of it' },
    ),
    queue: Type.Object({
      runs_running: count,
      runs_due: Type.Integer({ description: 'nobody has taken them yet' }),
      tasks_queued: count,
      tasks_leased: count,
      dead_letters: count,
      drifts: Type.Integer({ description: 'where live state is not what Git says' }),
    }),
    dashboards: Type.Array(
      Type.Object({
        namespace: Type.String(),
        name: Type.String(),
        title: Nullable(Type.String()),
        widgets: Type.Array(Widget),
      }),
      { description: 'pages of widgets that are declared' },
    ),
    correlation_id: Type.String(),
  },
  { title: 'Overview' },
)

const sample = { revision: SAMPLE.revision, commit: sampleFacts }

export const readOverview = route({
  operation: 'readOverview',
  method: 'GET',
  path: '/api/v1/overview',
  tag: 'server',
  access: 'read',
  summary: 'Read whether what runs is what Git says',
  description:
    'Commits that are wanted and applied, objects by kind, what is queued, and the declared layout of the page.',
  answers: { 200: Overview },
  example: {
    answer: {
      sources: [
        {
          ...{ name: 'state', ref: 'main', mode: null, state: 'synced', message: 'applied 3f2a91c', issues: 0 },
          ...{ desired: sample, applied: sample, synced_at: SAMPLE.time },
        },
      ],
      objects: [{ kind: 'Agent', ready: 6, not_ready: 0, unknown: 0, suspended: 0 }],
      queue: { runs_running: 1, runs_due: 0, tasks_queued: 2, tasks_leased: 1, dead_letters: 0, drifts: 0 },
      dashboards: [
        {
          ...{ namespace: 'default', name: 'overview', title: 'The fleet' },
          widgets: [{ type: 'sync', x: 0, y: 0, w: 8, h: 2, title: null }],
        },
      ],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ correlationId }, context) {
    const { reader } = context.store
    const [standings, objects, queue, dashboards] = await Promise.all([
      sourceStandings(reader),
      healthByKind(reader),
      queueCounts(reader, context.clock.now()),
      declaredDashboards(reader),
    ])
    return {
      sources: await withCommits(standings, context),
      objects,
      queue,
      dashboards: dashboards.map(({ namespace, name, spec }) => {
        const { title = null, widgets } = spec as unknown as DashboardSpec
        return { namespace, name, title, widgets: widgets.map((each) => ({ ...each, title: each.title ?? null })) }
      }),
      correlation_id: correlationId,
    }
  },
})

async function withCommits(
  standings: readonly SourceStanding[],
  { services, log }: ApiContext,
): Promise<Static<typeof OverviewSource>[]> {
  const revisions = [...new Set(standings.flatMap(({ attempted, applied }) => [attempted, applied]))].filter(
    (revision) => revision !== null,
  )
  // Without a leader nobody can look into the repository; everything else is rows.
  const facts = await services.repository.commits(revisions).catch((error: unknown) => {
    log.info({ reason: String(error) }, 'commits of the overview could not be read')
    return []
  })
  const commitOf = (revision: string | null) =>
    revision === null ? null : { revision, commit: facts[revisions.indexOf(revision)] ?? null }
  return standings.map((standing) => ({
    ...{ name: standing.name, ref: standing.ref, mode: standing.mode, state: stateOf(standing) },
    ...{ message: standing.message ?? '', issues: standing.issues },
    ...{ desired: commitOf(standing.attempted), applied: commitOf(standing.applied) },
    synced_at: standing.synced_at?.toISOString() ?? null,
  }))
}

/** Reasons of `Ready=False` of a source that could be read. Whether objects are Ready is their health, not what Git says. */
const READ: readonly (string | null)[] = ['ValidationFailed', 'PartiallyApplied', 'DependencyNotReady']

function stateOf({
  attempted,
  applied,
  ready,
  reason,
  issues,
}: SourceStanding): Static<typeof OverviewSource>['state'] {
  if (attempted === null) return ready === 'False' ? 'failed' : 'unknown'
  if (attempted !== applied) return 'behind'
  if (ready === 'False' && !READ.includes(reason)) return 'failed'
  return issues > 0 || (ready === 'False' && reason !== 'DependencyNotReady') ? 'partial' : 'synced'
}
