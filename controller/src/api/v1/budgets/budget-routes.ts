import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { parseUsd } from '../../../lib/usd.ts'
import type { Executor } from '../../../store/database.ts'
import { type BudgetRow, pageBudgets } from '../../../store/queries/budgets.ts'
import { pageReservations } from '../../../store/queries/reservations.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { proposalFields, sampleProposal } from '../proposal-dto.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { Budget, budgetDto, Reservation, reservationDto, sampleBudget, sampleReservation } from './budget-dto.ts'

const BudgetParams = Type.Object({ budget: Name })

async function findBudget(sql: Executor, name: string, namespace = 'default'): Promise<BudgetRow> {
  const [row] = await pageBudgets(sql, { namespace, name, after: null, limit: 1 })
  if (row === undefined) throw fail('SW_NOT_FOUND', `there is no budget ${namespace}/${name}`)
  return row
}

export const listBudgets = route({
  operation: 'listBudgets',
  method: 'GET',
  path: '/api/v1/budgets',
  aliases: ['/budgets'],
  tag: 'costs',
  access: 'read',
  summary: 'List budgets, and how much of them is gone',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Budget) },
  example: { answer: samplePage(sampleBudget) },
  async answer({ query, correlationId }, { store: { reader }, clock }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
    const after = position === null ? null : { namespace: position[0], name: position[1] }
    const filter = { namespace: query.namespace ?? null, name: null, after }
    const rows = await pageBudgets(reader, { ...filter, limit: query.limit + 1 })
    const page = pageBody(
      rows,
      { limit: query.limit, correlationId },
      (last) => [last.namespace, last.name],
      (row) => row,
    )
    const now = clock.now()
    return { ...page, items: await Promise.all(page.items.map((row) => budgetDto(reader, row, now))) }
  },
})

export const readBudget = route({
  operation: 'readBudget',
  method: 'GET',
  path: '/api/v1/budgets/{budget}',
  aliases: ['/budgets/{budget}'],
  tag: 'costs',
  access: 'read',
  summary: 'Read a budget, and how much of it is gone',
  params: BudgetParams,
  query: only(NamespaceQuery),
  answers: { 200: Budget },
  example: { params: { budget: 'platform-monthly' }, answer: sampleBudget },
  answer: async ({ params, query }, { store: { reader }, clock }) =>
    budgetDto(reader, await findBudget(reader, params.budget, query.namespace), clock.now()),
})

export const listReservations = route({
  operation: 'listReservations',
  method: 'GET',
  path: '/api/v1/budgets/{budget}/reservations',
  aliases: ['/budgets/{budget}/reservations'],
  tag: 'costs',
  access: 'read',
  summary: 'List what money of a budget is kept for, and what waits for some, the newest first',
  params: BudgetParams,
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Reservation) },
  example: { params: { budget: 'platform-monthly' }, answer: samplePage(sampleReservation) },
  async answer({ params, query, correlationId }, { store: { reader } }) {
    const { account } = await findBudget(reader, params.budget, query.namespace)
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'string'])
    const after = position === null ? null : { createdAt: position[0], id: position[1] }
    const rows = await pageReservations(reader, { account, after, limit: query.limit + 1 })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.created_at, last.id], reservationDto)
  },
})

export const raiseBudget = route({
  operation: 'raiseBudget',
  method: 'POST',
  path: '/api/v1/budgets/{budget}/raise',
  aliases: ['/budgets/{budget}/raise'],
  tag: 'costs',
  access: 'proposals.write',
  summary: 'Propose another limit of a budget',
  description:
    'The answer holds the commit that sets `maxUsd`. It is in force once it is merged; what waited for money then goes on. Also a lower one may be proposed.',
  params: BudgetParams,
  query: only(NamespaceQuery),
  body: only(
    {
      max_usd: Type.Union([Type.String({ maxLength: 20 }), Type.Number()], {
        description: 'US dollars for a window, at most nine decimals',
      }),
      reason: Type.Optional(Type.String({ maxLength: 1000 })),
    },
    { title: 'BudgetLimit' },
  ),
  answers: {
    202: Type.Object({ budget: Budget, ...proposalFields, correlation_id: Type.String() }, { title: 'BudgetProposal' }),
  },
  example: {
    params: { budget: 'platform-monthly' },
    body: { max_usd: '30', reason: 'the migration takes another week' },
    answer: {
      budget: sampleBudget,
      ...sampleProposal('set-maxusd-budget-platform-monthly'),
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, body, caller, correlationId }, { store: { reader }, services, clock }) {
    const row = await findBudget(reader, params.budget, query.namespace)
    if (parseUsd(body.max_usd) === null)
      throw fail('SW_VALIDATION_FAILED', `${String(body.max_usd)} is no amount of US dollars`, {
        details: {
          violations: [
            {
              path: 'body/max_usd',
              message: 'must be a decimal number, not negative, at most 9 decimals',
              keyword: 'format',
            },
          ],
        },
      })
    const proposal = await services.proposals.set(
      { kind: 'Budget', namespace: row.namespace, name: row.name },
      { keys: ['spec', 'maxUsd'], value: body.max_usd },
      { reason: body.reason ?? null, merge: false },
      caller,
    )
    return { budget: await budgetDto(reader, row, clock.now()), ...proposal, correlation_id: correlationId }
  },
})
