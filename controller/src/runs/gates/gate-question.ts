import { digestOf, sha256 } from '../../lib/digest.ts'
import { cleanText } from '../../store/journal/clean.ts'

const MAX_NAME = 63

/** What a gate asks, as one digest: a decision that names it decides this question of this attempt, and no other. */
export function inputDigestOf(question: {
  readonly stepId: string
  readonly planDigest: string
  readonly message: string
}): string {
  return digestOf({ ...question, message: cleanText(question.message) })
}

/** The branch a decision is proposed on: `proposals/<run>-<step>`, which also names the document. */
export function proposalBranch(run: string, path: string, stepId: string): string {
  const words = `${run}-${path}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+$/, '')
  // Two paths may read the same without their punctuation, and long ones are cut: then the step's own id tells them apart.
  const isExact = /^[a-z][a-z0-9]*$/.test(path) && words.length <= MAX_NAME
  const name = isExact ? words : `${words.slice(0, MAX_NAME - 9).replace(/-+$/, '')}-${sha256(stepId).slice(0, 8)}`
  return `proposals/${name}`
}
