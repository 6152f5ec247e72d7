import { useRead } from '../../api/use-read.ts'
import { type BesideFilter, besideRows } from './beside.ts'

const MOST = 1_000

/** What nobody declared, as rows below what somebody did. Nothing while a namespace is asked for: it is in none. */
export function useBeside(
  filter: BesideFilter & { readonly namespace: string },
  isOpen: (id: string) => boolean,
): ReturnType<typeof besideRows> {
  const tools = useRead('/api/v1/tools', { query: { limit: MOST } }).data?.items
  const hosts = useRead('/api/v1/hosts').data?.items
  const declared = useRead('/api/v1/objects', { query: { kind: 'Host', limit: MOST } }).data?.items
  if (filter.namespace !== '') return []
  const names = new Set(declared?.map(({ name }) => name))
  return besideRows(tools ?? [], declared === undefined ? [] : (hosts ?? []), names, filter, isOpen)
}
