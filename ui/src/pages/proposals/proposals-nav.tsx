import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { SubNav } from '../../components/sub-nav.tsx'

/** What waits for somebody, and what is proposed: two looks at the same question. */
export function ProposalsNav(): ReactNode {
  const gates = useRead('/api/v1/gates', { query: { state: 'waiting', order: 'asc', limit: 50 } })
  const held = useRead('/api/v1/changes')
  const open = useRead('/api/v1/proposals', { query: { state: 'open', limit: 50 } })
  return (
    <SubNav
      label="Proposals and approvals"
      parts={[
        {
          href: '/approvals',
          label: 'Waiting',
          count: (gates.data?.items.length ?? 0) + (held.data?.items.length ?? 0),
        },
        { href: '/proposals', label: 'Proposals', count: open.data?.items.length },
      ]}
    />
  )
}
