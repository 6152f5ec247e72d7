import Type, { type Static } from 'typebox'
import type { Route } from '../../http/route.ts'
import { route } from '../../http/route.ts'
import type { FleetState } from '../../ports/fleet.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, optionalBody, Time } from '../schemas.ts'

const FleetSchema = Type.Object(
  {
    frozen: Type.Boolean(),
    by: Nullable(Type.String()),
    reason: Nullable(Type.String()),
    since: Nullable(Time),
    commit: Nullable(
      Type.String({ description: 'the signed commit at refs/stateward/freeze; null until it is there' }),
    ),
    correlation_id: Type.String(),
  },
  { title: 'Fleet' },
)
const frozen: Static<typeof FleetSchema> = {
  ...{ frozen: true, by: 'user:ada', reason: 'runaway agents', since: SAMPLE.time, commit: SAMPLE.revision },
  correlation_id: SAMPLE.correlation,
}
const going = { ...frozen, frozen: false, by: null, reason: null, since: null, commit: null }
const body = optionalBody({ reason: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))) })

const readFleet = route({
  operation: 'readFleet',
  method: 'GET',
  path: '/api/v1/fleet',
  tag: 'fleet',
  access: 'read',
  summary: 'Tell whether the fleet is frozen',
  answers: { 200: FleetSchema },
  example: { answer: going },
  answer: async ({ correlationId }, { services }) => dto(await services.fleet.state(), correlationId),
})

const freezeFleet = route({
  operation: 'freezeFleet',
  method: 'POST',
  path: '/api/v1/fleet/freeze',
  tag: 'fleet',
  access: 'fleet.freeze',
  summary: 'Halt the whole fleet',
  description:
    'Nothing new begins anywhere, at once: no run, step, spawn or effect; agents get no tasks and are not started. What is under way ends and is recorded. It holds across restarts, until somebody ends it. The same again changes nothing.',
  body,
  answers: { 200: FleetSchema },
  example: { body: { reason: 'runaway agents' }, answer: frozen },
  answer: async ({ body: asked, caller, correlationId }, { services }) =>
    dto(await services.fleet.freeze(asked?.reason ?? null, caller), correlationId),
})

const unfreezeFleet = route({
  operation: 'unfreezeFleet',
  method: 'POST',
  path: '/api/v1/fleet/unfreeze',
  tag: 'fleet',
  access: 'fleet.unfreeze',
  summary: 'Let a frozen fleet go on',
  description: 'Runs go on where they were, and what came meanwhile is read. The same again changes nothing.',
  body,
  answers: { 200: FleetSchema },
  example: { body: { reason: 'found it' }, answer: going },
  answer: async ({ body: asked, caller, correlationId }, { services }) =>
    dto(await services.fleet.unfreeze(asked?.reason ?? null, caller), correlationId),
})

/** The fleet as a whole. */
export const FLEET_ROUTES: readonly Route[] = [readFleet, freezeFleet, unfreezeFleet]

function dto({ since, ...state }: FleetState, correlationId: string): Static<typeof FleetSchema> {
  return { ...state, since: since?.toISOString() ?? null, correlation_id: correlationId }
}
