import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { commitFields, sampleFacts } from '../objects/commit-dto.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable } from '../schemas.ts'

export const readCommit = route({
  operation: 'readCommit',
  method: 'GET',
  path: '/api/v1/commits/{revision}',
  tag: 'sources',
  access: 'read',
  summary: 'Read a commit of the state repo, with what it changed',
  params: Type.Object({
    revision: Type.String({ pattern: '^[0-9a-f]{7,64}$', description: 'the id of the commit, or its beginning' }),
  }),
  answers: {
    200: Type.Object(
      {
        revision: Type.String(),
        ...commitFields,
        message: Type.String(),
        parents: Type.Array(Type.String()),
        patch: Nullable(
          Type.Object({
            text: Type.String({ description: 'a unified diff since its first parent' }),
            truncated: Type.Boolean({ description: 'it is longer than what is shown' }),
          }),
        ),
        correlation_id: Type.String(),
      },
      { title: 'Commit' },
    ),
  },
  example: {
    params: { revision: SAMPLE.revision },
    answer: {
      revision: SAMPLE.revision,
      ...sampleFacts,
      message: 'Let sre restart services\n',
      parents: [],
      patch: {
        text: '--- a/agents/sre.yaml\n+++ b/agents/sre.yaml\n@@ -4 +4 @@\n-  replicas: 1\n+  replicas: 2\n',
        truncated: false,
      },
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, correlationId }, { services }) {
    const change = await services.repository.change(params.revision)
    if (change === null)
      throw fail('SW_NOT_FOUND', `the state repo has no commit ${params.revision}`, {
        remedy: 'a plain folder has no commits; a rewritten history has lost them',
      })
    return { ...change, correlation_id: correlationId }
  },
})
