import { fail } from '../../lib/error-catalogue.ts'
import type { StatewardError } from '../../lib/errors.ts'

/** The error of an object that a repository should have and has not: a half-finished copy, or a damaged disk. */
export function incomplete(what: string): StatewardError {
  return fail('SW_GIT_FAILED', `${what}: the repository is incomplete`, {
    remedy: '`git fsck` names what is missing; push it again from another clone',
  })
}
