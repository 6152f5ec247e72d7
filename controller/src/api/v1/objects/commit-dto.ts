import Type, { type Static } from 'typebox'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time } from '../schemas.ts'

const PersonDto = Type.Object({ name: Type.String(), email: Type.String(), time: Time })

export const commitFields = {
  subject: Type.String(),
  author: PersonDto,
  committer: PersonDto,
  signed_by: Nullable(Type.String()),
}
export const CommitDto = Type.Object(commitFields, { title: 'CommitFacts' })

const ada = { name: 'Ada', email: 'ada@example.com', time: SAMPLE.time }
export const sampleFacts: Static<typeof CommitDto> = {
  subject: 'Let sre restart services',
  author: ada,
  committer: ada,
  signed_by: null,
}
