import Type from 'typebox'
import { SAMPLE } from './samples.ts'
import { Nullable } from './schemas.ts'

/** What every answer says that proposes a change of the state repo. */
export const proposalFields = {
  branch: Nullable(Type.String({ description: 'the branch that proposes it; null when it is merged' })),
  commit: Type.String({ description: 'the commit that says so' }),
  merged: Type.Boolean(),
}

export const sampleProposal = (topic: string) => ({
  branch: `proposals/${topic}`,
  commit: SAMPLE.revision,
  merged: false,
})
