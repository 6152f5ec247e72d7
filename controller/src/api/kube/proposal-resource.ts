import type { Condition } from '../../kinds/conditions.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { PROPOSAL } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { type ProposalSummary, pageProposalsByName, proposalsById } from '../../store/queries/proposals.ts'
import type { ServedResource } from './served-resource.ts'

const NOUN = 'stateward.proposal.'

/** Proposals in the envelope of declared objects: `kubectl wait --for=jsonpath='{.status.phase}'=merged proposal/<id>`. */
export const proposalResource: ServedResource = {
  ...PROPOSAL,
  isInfrastructure: true,
  page: async (sql, page) => (await pageProposalsByName(sql, page)).map(proposalView),
  fixed: async () => [],
  async find(sql, namespace, name) {
    const [row] = await proposalsById(sql, [name])
    return row === undefined || placeOf(row) !== namespace ? null : proposalView(row)
  },
  byId: async (sql, ids) => (await proposalsById(sql, ids)).map(proposalView),
  subjectOf: ({ resource, event_name: name }) =>
    resource?.type === 'Proposal' && name.startsWith(NOUN)
      ? { id: resource.id, change: name === `${NOUN}opened` ? 'created' : 'changed' }
      : null,
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} does not delete a proposal`)
  },
  withLive: async (views) => views,
}

const placeOf = ({ namespace }: ProposalSummary): string => (namespace === '' ? 'default' : namespace)

function proposalView(row: ProposalSummary): ObjectView {
  return {
    apiVersion: API_VERSION,
    kind: 'Proposal',
    metadata: {
      name: row.proposal_id,
      namespace: placeOf(row),
      uid: row.proposal_id,
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: row.opened_at.toISOString(),
      ...(Object.keys(row.labels).length === 0 ? {} : { labels: row.labels }),
    },
    spec: {
      title: row.title,
      description: row.description,
      author: row.author,
      branch: row.branch,
      head: row.head,
      files: [...row.files],
      ...(row.run_id === null ? {} : { runId: row.run_id }),
    },
    status: {
      phase: row.state,
      ...(row.risk === null ? {} : { risk: row.risk }),
      ...(row.plan_digest === null ? {} : { planDigest: row.plan_digest }),
      checks: row.checks.map(({ name, state, summary }) => ({ name, state, summary })),
      ...(row.landed === null ? {} : { landed: row.landed }),
      ...(row.closed_at === null ? {} : { completionTime: row.closed_at.toISOString(), closedBy: row.closed_by }),
      conditions: [mergeable(row)],
    },
  }
}

/** Whether it could land now. */
function mergeable(row: ProposalSummary): Condition {
  const base = {
    type: 'Mergeable',
    observedGeneration: 1,
    lastTransitionTime: (row.closed_at ?? row.updated_at).toISOString(),
  }
  if (row.state === 'merged') return { ...base, status: 'True', reason: 'Succeeded', message: 'it is merged' }
  if (row.state !== 'open') return { ...base, status: 'False', reason: 'Stopped', message: `it is ${row.state}` }
  const open = row.checks.filter(({ state }) => state !== 'passed')
  if (row.onto === null || open.some(({ state }) => state === 'waiting'))
    return { ...base, status: 'Unknown', reason: 'Progressing', message: summaryOf(open) || 'not checked yet' }
  if (open.length > 0) return { ...base, status: 'False', reason: 'Failed', message: summaryOf(open) }
  return { ...base, status: 'True', reason: 'Succeeded', message: 'every check passed' }
}

function summaryOf(checks: ProposalSummary['checks']): string {
  return checks.map(({ name, summary }) => `${name}: ${summary}`).join('; ')
}
