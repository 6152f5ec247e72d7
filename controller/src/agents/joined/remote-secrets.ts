import type { SecretReader } from '../../kinds/secret-ref.ts'
import { ERRORS, type ErrorRef, fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'

/** What the control plane answers a host that asks for a secret: its value, that there is none, or why it cannot be had. */
export type SecretAnswer =
  | string
  | null
  | { readonly refused: { readonly ref: string; readonly message: string; readonly remedy: string } }

/**
 * Why somebody cannot have a secret, as an answer: a refusal is about the agent that asks, and says nothing about the host it
 * runs on. Any other failure is thrown on.
 */
export async function secretAnswer(read: () => Promise<string | null>): Promise<SecretAnswer> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof StatewardError) || !REFUSALS.has(error.ref)) throw error
    return { refused: { ref: error.ref, message: error.message, remedy: error.remedy } }
  }
}

const REFUSALS: ReadonlySet<string> = new Set<ErrorRef>([
  'SW_DENIED_BY_POLICY',
  'SW_NEEDS_APPROVAL',
  'SW_SECRET_MISSING',
  'SW_FORBIDDEN',
])

/** Secrets of a joined host: the control plane knows whose each is, asks the policies, and tells the log of each use. */
export function remoteSecrets(ask: (name: string, key: string) => Promise<unknown>): SecretReader {
  const read = async ({ name, key }: { readonly name: string; readonly key: string }): Promise<string | null> => {
    const answer = (await ask(name, key)) as SecretAnswer
    if (answer === null || !isObject(answer)) return answer
    const { ref, message, remedy } = answer.refused
    throw fail(Object.hasOwn(ERRORS, ref) ? (ref as ErrorRef) : 'SW_SECRET_MISSING', message, { remedy })
  }
  return { read, peek: read }
}
