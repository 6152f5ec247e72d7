import Type from 'typebox'
import { breakerId, reset, trip } from '../../../breakers/breakers.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { BREAKER_STATES } from '../../../lifecycle/breaker.ts'
import { type BreakerKind, type BreakerTarget, breakerOf, pageBreakers } from '../../../store/queries/breakers.ts'
import { findObject } from '../../../store/queries/objects-read.ts'
import type { ApiContext } from '../../context.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, Nullable, only, PageQuery, pageOf } from '../schemas.ts'
import { Breaker, BreakerParams, breakerDto, sampleBreaker, targetOf } from './breaker-dto.ts'

export const listBreakers = route({
  operation: 'listBreakers',
  method: 'GET',
  path: '/api/v1/breakers',
  aliases: ['/breakers'],
  tag: 'breakers',
  access: 'read',
  summary: 'List breakers that were ever opened',
  query: only({ ...PageQuery, ...NamespaceQuery, state: Type.Optional(Type.Enum([...BREAKER_STATES])) }),
  answers: { 200: pageOf(Breaker) },
  example: { query: { state: 'open' }, answer: samplePage(sampleBreaker) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string', 'string'])
    const after =
      position === null ? null : { kind: position[0] as BreakerKind, namespace: position[1], name: position[2] }
    const rows = await pageBreakers(reader, {
      namespace: query.namespace ?? null,
      state: query.state ?? null,
      after,
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.kind, last.namespace, last.name], breakerDto)
  },
})

export const readBreaker = route({
  operation: 'readBreaker',
  method: 'GET',
  path: '/api/v1/breakers/{breaker}',
  aliases: ['/breakers/{breaker}'],
  tag: 'breakers',
  access: 'read',
  summary: 'Read a breaker',
  params: BreakerParams,
  query: only(NamespaceQuery),
  answers: { 200: Breaker },
  example: { params: { breaker: 'tool:ssh.run' }, answer: sampleBreaker },
  async answer({ params, query }, { store: { reader } }) {
    const target = targetOf(params.breaker, query.namespace)
    const row = await breakerOf(reader, target)
    if (row === null) throw fail('SW_NOT_FOUND', `the breaker ${breakerId(target)} was never opened`)
    return breakerDto(row)
  },
})

export const triggerBreaker = route({
  operation: 'triggerBreaker',
  method: 'POST',
  path: '/api/v1/breakers/{breaker}/trigger',
  aliases: ['/breakers/{breaker}/trigger'],
  tag: 'breakers',
  access: 'breakers.trigger',
  summary: 'Open a breaker',
  description:
    'The tool is not called, or the agent gets no task, until it is reset; with a cooldown, one is let through to try after it: its success closes the breaker, its failure opens it again. Calls meanwhile fail with `breaker_open`, which is worth a retry.',
  params: BreakerParams,
  query: only(NamespaceQuery),
  body: only(
    {
      reason: Type.String({ minLength: 1, maxLength: 1000 }),
      cooldown_seconds: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: 86_400 }))),
    },
    { title: 'TriggerBreakerRequest' },
  ),
  answers: { 202: Breaker },
  example: {
    params: { breaker: 'tool:ssh.run' },
    body: { reason: 'the jump host is compromised' },
    answer: sampleBreaker,
  },
  async prepare({ params, query }, context) {
    const target = targetOf(params.breaker, query.namespace)
    await checkTarget(context, target)
    return target
  },
  async transact(tx, { body, caller }, { store }, target) {
    const { reason, cooldown_seconds: cooldown } = body
    return breakerDto(await trip(tx, store, target, { reason, actor: caller.actor, cooldownSeconds: cooldown ?? null }))
  },
})

export const resetBreaker = route({
  operation: 'resetBreaker',
  method: 'POST',
  path: '/api/v1/breakers/{breaker}/reset',
  aliases: ['/breakers/{breaker}/reset'],
  tag: 'breakers',
  access: 'breakers.trigger',
  summary: 'Close a breaker',
  description: 'The same again changes nothing.',
  params: BreakerParams,
  query: only(NamespaceQuery),
  answers: { 200: Breaker },
  example: {
    params: { breaker: 'tool:ssh.run' },
    answer: { ...sampleBreaker, state: 'closed', closed_at: SAMPLE.later, closed_by: 'key:governor' },
  },
  transact: async (tx, { params, query, caller }, { store }) =>
    breakerDto(await reset(tx, store, targetOf(params.breaker, query.namespace), caller.actor)),
})

/** Whoever breaks off something that is not there has mistyped it. */
async function checkTarget({ store, services }: ApiContext, target: BreakerTarget): Promise<void> {
  const isBuiltin =
    target.kind === 'Tool' &&
    (await services.views.builtin('Tool')).some(({ metadata }) => metadata.name === target.name)
  if (isBuiltin || (await findObject(store.reader, target)) !== null) return
  throw fail('SW_NOT_FOUND', `there is no ${target.kind.toLowerCase()} ${target.namespace}/${target.name}`)
}
