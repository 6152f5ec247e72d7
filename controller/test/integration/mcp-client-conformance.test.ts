import { describe, expect, it } from 'vitest'
import { clientConformance, requiredOf } from '../support/mcp-conformance.ts'

/** What the suite runs besides what a revision requires of a client, and we do not do. */
const NOT_OURS: Readonly<Record<string, string>> = {
  'auth/dpop': 'an extension: tokens are sent as bearer tokens, to the server they are for alone',
  'auth/dpop-nonce': 'an extension, as above',
  'auth/enterprise-managed-authorization': 'an extension: it starts with a token of a person who is there',
  'auth/wif-jwt-bearer': 'an extension: no platform gives this installation an identity of its own',
}

describe('our client, as the official suite sees it', () => {
  it.each([
    ['2026-07-28', 32],
    ['2025-11-25', 18],
  ] as const)(
    'passes what revision %s requires (%i scenarios)',
    async (revision, count) => {
      const [required, results] = [await requiredOf(revision, 'client'), await clientConformance(revision)]
      const failed = results.filter(({ scenario, failures }) => failures.length > 0 && !(scenario in NOT_OURS))
      expect(failed).toEqual([])
      const scored = results.filter(({ scenario }) => required.includes(scenario))
      expect(scored).toHaveLength(count)
      expect(required).toHaveLength(count)
    },
    180_000,
  )
})
