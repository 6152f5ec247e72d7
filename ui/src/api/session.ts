import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { getAddress } from './get.ts'

/** Who this browser is signed in as. */
export interface Session {
  /** Null: nobody, or nobody has to be. */
  readonly principal: string | null
  readonly expires_at: string | null
  /** An identity provider signs people in, too. */
  readonly provider: boolean
}

export function useSession(): UseQueryResult<Session> {
  return useQuery({
    queryKey: ['/ui/session.json'],
    queryFn: async ({ signal }) => (await getAddress('/ui/session.json', signal)) as Session,
    staleTime: 60_000,
  })
}
