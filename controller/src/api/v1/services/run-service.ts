import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { verbsOf } from '../../auth/roles.ts'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { runOf } from '../runs/run-params.ts'
import { JsonMap, Name, optionalBody } from '../schemas.ts'
import { findService, roleOf, Scope, ServiceParams } from './service-dto.ts'

export const runService = route({
  operation: 'runService',
  method: 'POST',
  path: '/api/v1/services/{service}/run',
  aliases: ['/services/{service}/run', '/api/v1/operations/{service}/run'],
  tag: 'operations',
  access: 'operations.run',
  summary: 'Run an operation',
  description:
    'Answers with the run it is, durable and pinned to the commit that declared the operation. 403 when the operation is for a role that the caller does not fill.',
  params: ServiceParams,
  query: Scope,
  body: optionalBody({ inputs: Type.Optional(JsonMap), name: Type.Optional(Name) }),
  answers: { 202: Run },
  example: {
    params: { service: 'http-check' },
    body: { inputs: { url: 'https://example.com' } },
    answer: { ...sampleRun, name: 'http-check-k3q9zt', blueprint_ref: null, trigger: 'operation:http-check' },
  },
  async answer({ params, query, body, caller, principal }, context) {
    const row = await findService(context.store.reader, params.service, query.namespace)
    const role = roleOf(row)
    // The verb of this route is what makes an operator of somebody.
    if (role === 'admin' && !verbsOf([role]).isSubsetOf(principal.verbs))
      throw fail('SW_FORBIDDEN', `operation ${row.name} is for the role ${role}`, { details: { roles: [role] } })
    const { runId } = await context.services.runs.runOperation(
      {
        namespace: row.namespace,
        operation: row.name,
        name: body?.name ?? null,
        // The body came as JSON, so its members are JSON.
        inputs: (body?.inputs ?? {}) as JsonObject,
      },
      caller,
    )
    return runDto(await runOf(context, runId))
  },
})
