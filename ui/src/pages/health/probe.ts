import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { ReadError } from '../../api/get.ts'
import type { Probe } from '../../api/reads.ts'

/** What does not hold is an answer here and no failure: the same shape comes with 503. */
export function useProbe(address: '/readyz' | '/livez'): UseQueryResult<Probe> {
  return useQuery({
    queryKey: [address],
    queryFn: async ({ signal }) => {
      let response: Response
      try {
        response = await fetch(address, { method: 'GET', cache: 'no-store', signal })
      } catch (error) {
        if (signal.aborted) throw error
        throw new ReadError(
          0,
          'Stateward cannot be reached',
          '',
          'It is tried again by itself. Is the process up? stateward doctor',
        )
      }
      return (await response.json()) as Probe
    },
    refetchInterval: 5_000,
    // The next look comes by itself, and the page says at once that nobody answers.
    retry: false,
  })
}
