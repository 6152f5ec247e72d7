import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Time } from '../schemas.ts'
import { ObjectTarget, Target, targetOf } from './object-target.ts'

const OverrideResponse = Type.Object(
  {
    object: Target,
    suspended: Type.Boolean(),
    branch: Nullable(Type.String({ description: 'the branch that proposes the same change' })),
    commit: Nullable(Type.String()),
    merged: Type.Boolean(),
    correlation_id: Type.String(),
  },
  { title: 'Override' },
)
const Merge = Type.Boolean({ default: false, description: 'put the commit on the protected branch at once' })

const sample: Static<typeof OverrideResponse> = {
  object: { kind: 'Agent', namespace: 'default', name: 'sre' },
  suspended: true,
  branch: 'proposals/suspend-agent-sre',
  commit: SAMPLE.revision,
  merged: false,
  correlation_id: SAMPLE.correlation,
}

export const suspendObject = route({
  operation: 'suspendObject',
  method: 'POST',
  path: '/api/v1/objects/suspend',
  tag: 'objects',
  access: 'objects.intervene',
  summary: 'Suspend an object',
  description: 'Takes effect at once; the same change follows as a proposed commit.',
  body: only(
    {
      ...ObjectTarget,
      reason: Type.Optional(Type.String({ maxLength: 1000 })),
      expires_at: Type.Optional(Nullable(Time)),
      merge: Merge,
    },
    { title: 'SuspendRequest' },
  ),
  answers: { 200: OverrideResponse },
  example: { body: { kind: 'agent', name: 'sre', reason: 'too many restarts' }, answer: sample },
  async answer({ body, caller, correlationId }, context) {
    const ref = await targetOf(context, body)
    const expiresAt = body.expires_at === undefined || body.expires_at === null ? null : new Date(body.expires_at)
    if (expiresAt !== null && expiresAt <= context.clock.now())
      throw fail('SW_BAD_REQUEST', 'expires_at is in the past')
    const options = { reason: body.reason ?? null, expiresAt, merge: body.merge }
    const result = await context.services.objects.suspend(ref, options, caller)
    return { object: ref, suspended: true, ...result, correlation_id: correlationId }
  },
})

export const resumeObject = route({
  operation: 'resumeObject',
  method: 'POST',
  path: '/api/v1/objects/resume',
  tag: 'objects',
  access: 'objects.intervene',
  summary: 'Resume an object',
  description: 'Takes effect at once; the same change follows as a proposed commit.',
  body: only({ ...ObjectTarget, merge: Merge }, { title: 'ResumeRequest' }),
  answers: { 200: OverrideResponse },
  example: {
    body: { kind: 'agent', name: 'sre' },
    answer: { ...sample, suspended: false, branch: 'proposals/resume-agent-sre' },
  },
  async answer({ body, caller, correlationId }, context) {
    const ref = await targetOf(context, body)
    const result = await context.services.objects.resume(ref, { merge: body.merge }, caller)
    return { object: ref, suspended: false, ...result, correlation_id: correlationId }
  },
})
