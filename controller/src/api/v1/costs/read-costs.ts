import Type, { type Static } from 'typebox'
import { COST_GROUPS, type CostFilter, type CostGroup, pageCosts, sumCosts } from '../../../store/queries/costs.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Time, Uuid } from '../schemas.ts'
import { amounts, Cost, CostSummary, costDto, sampleCost } from './cost-dto.ts'

const Filter = {
  ...NamespaceQuery,
  project: Type.Optional(Name),
  agent: Type.Optional(Name),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  run: Type.Optional(Uuid),
  blueprint: Type.Optional(Name),
  since: Type.Optional({ ...Time, description: 'from this time on' }),
  until: Type.Optional({ ...Time, description: 'before this time' }),
}
const FilterQuery = only(Filter)

function filterOf(query: Static<typeof FilterQuery>): CostFilter {
  const {
    namespace = null,
    project = null,
    agent = null,
    model = null,
    run: runId = null,
    blueprint = null,
    since,
    until,
  } = query
  return {
    namespace,
    project,
    agent,
    model,
    runId,
    blueprint,
    since: since === undefined ? null : new Date(since),
    until: until === undefined ? null : new Date(until),
  }
}

export const listCosts = route({
  operation: 'listCosts',
  method: 'GET',
  path: '/api/v1/costs',
  aliases: ['/costs'],
  tag: 'costs',
  access: 'read',
  summary: 'List what was spent, the newest first',
  description:
    'What was reported, what tools declare that were called, and what nobody reported though it was reserved.',
  query: only({ ...PageQuery, ...Filter }),
  answers: { 200: pageOf(Cost) },
  example: { query: { agent: 'sre' }, answer: samplePage(sampleCost) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const after = position === null ? null : { occurredAt: position[0], id: position[1] }
    const rows = await pageCosts(reader, { ...filterOf(query), after, limit: query.limit + 1 })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.occurred_at, last.cost_id], costDto)
  },
})

/** `project,day`. */
const GROUP_BY = `^(${COST_GROUPS.join('|')})(,(${COST_GROUPS.join('|')})){0,3}$`
const MOST_GROUPS = 1000

export const summarizeCosts = route({
  operation: 'summarizeCosts',
  method: 'GET',
  path: '/api/v1/costs/summary',
  aliases: ['/costs/summary'],
  tag: 'costs',
  access: 'read',
  summary: 'Sum up what was spent',
  description: `By any of ${COST_GROUPS.join(', ')} (days are UTC), the dearest ${MOST_GROUPS} first, with the total of all.`,
  query: only({
    ...Filter,
    group_by: Type.String({
      default: 'agent',
      maxLength: 120,
      pattern: GROUP_BY,
      description: 'up to four, with commas between',
    }),
  }),
  answers: { 200: CostSummary },
  example: {
    query: { group_by: 'project,day', since: SAMPLE.time },
    answer: {
      group_by: ['project', 'day'],
      items: [
        {
          group: { project: 'web', day: '2026-03-28' },
          amount_usd: '0.0135',
          amount_cents: 1.35,
          tokens: 2500,
          input_tokens: 2000,
          output_tokens: 500,
          count: 1,
        },
      ],
      total: {
        amount_usd: '0.0135',
        amount_cents: 1.35,
        tokens: 2500,
        input_tokens: 2000,
        output_tokens: 500,
        count: 1,
      },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const groups = [...new Set(query.group_by.split(','))] as CostGroup[]
    const filter = filterOf(query)
    const [sums, [total]] = await Promise.all([
      sumCosts(reader, filter, groups, MOST_GROUPS),
      sumCosts(reader, filter, [], 1),
    ])
    const { group: _, amount: all, ...whole } = total!
    return {
      group_by: groups,
      items: sums.map(({ group, amount, ...rest }) => ({
        group: Object.fromEntries(groups.map((name, index) => [name, group[index] ?? null])),
        ...amounts(amount),
        ...rest,
      })),
      total: { ...amounts(all), ...whole },
      correlation_id: correlationId,
    }
  },
})
