import Type from 'typebox'
import { route } from '../../http/route.ts'
import { Run, runDto, sampleRun } from '../run-dto.ts'
import { runOf } from '../runs/run-params.ts'
import { SAMPLE } from '../samples.ts'
import { Uuid } from '../schemas.ts'

export const requeueDeadLetter = route({
  operation: 'requeueDeadLetter',
  method: 'POST',
  path: '/api/v1/dead-letters/{dead_letter}/requeue',
  tag: 'recovery',
  access: 'runs.start',
  summary: 'Requeue a dead letter',
  description:
    'Starts a run of what was refused or has failed, with the blueprint as it is applied now. Each is requeued once; when it fails again, that is another one.',
  params: Type.Object({ dead_letter: Uuid }),
  answers: { 201: Run },
  example: { params: { dead_letter: SAMPLE.run }, answer: sampleRun },
  async answer({ params, caller }, context) {
    const { runId } = await context.services.runs.requeue(params.dead_letter, caller)
    return runDto(await runOf(context, runId))
  },
})
