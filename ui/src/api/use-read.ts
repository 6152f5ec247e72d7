import {
  keepPreviousData,
  QueryClient,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query'
import { type Answer, type Asked, get, getAddress, ReadError, type ReadPath } from './get.ts'

interface ReadOptions {
  /** Default: true. */
  readonly enabled?: boolean
  /** For what no event tells of, in milliseconds. Default: it is read again when an event says that it changed. */
  readonly everyMs?: number
}

/** Every answer that is kept; the first member of a key is the path it was read at, by which events find it. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: true,
        // What cannot be reached is tried until it is there; what was refused stays refused.
        retry: (count, error) => isPassing(error) && count < 8,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 8_000),
        networkMode: 'always',
      },
    },
  })
}

/** It may be over in a moment: the process starts, or is away, or is asked too often. */
export function isPassing(error: unknown): boolean {
  return error instanceof ReadError && (error.status === 0 || error.status >= 500 || error.status === 429)
}

/** Reads something and keeps it as it is: events have it read again. While another page of it is read, the former one stays. */
export function useRead<P extends ReadPath>(
  path: P,
  asked: Asked<P> = {},
  { enabled = true, everyMs }: ReadOptions = {},
): UseQueryResult<Answer<P>> {
  return useQuery({
    queryKey: [path, asked],
    queryFn: ({ signal }) => get(path, asked, signal),
    enabled,
    placeholderData: keepPreviousData,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  })
}

/** The same of an address the table does not know, such as `/kube/apis/…`. */
export function useAddress<T>(address: string, { enabled = true, everyMs }: ReadOptions = {}): UseQueryResult<T> {
  return useQuery({
    queryKey: [address],
    queryFn: async ({ signal }) => (await getAddress(address, signal)) as T,
    enabled,
    placeholderData: keepPreviousData,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  })
}

/** Paths that answer a page at a time. */
export type ListPath = {
  [P in ReadPath]: Answer<P> extends { readonly items: readonly unknown[]; readonly next_cursor: string | null }
    ? P
    : never
}[ReadPath]

export type Item<P extends ListPath> = Answer<P>['items'][number]

/** A list, page by page: `data` is all that was read so far. `fetchNextPage` reads on. */
export function useReadList<P extends ListPath>(
  path: P,
  asked: Asked<P> = {},
  { enabled = true, everyMs }: ReadOptions = {},
): UseInfiniteQueryResult<readonly Item<P>[]> {
  return useInfiniteQuery({
    queryKey: [path, asked, 'list'],
    queryFn: ({ signal, pageParam }) =>
      get(path, { ...asked, query: { ...asked.query, cursor: pageParam } } as Asked<P>, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last as { next_cursor: string | null }).next_cursor,
    select: ({ pages }) => pages.flatMap((page) => (page as { items: readonly Item<P>[] }).items),
    enabled,
    placeholderData: keepPreviousData,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  })
}
