import type { ReactNode } from 'react'
import { SubNav } from '../../components/sub-nav.tsx'

export function FleetNav(): ReactNode {
  return (
    <SubNav
      label="Fleet"
      parts={[
        { href: '/agents', label: 'Agents' },
        { href: '/hosts', label: 'Hosts' },
        { href: '/interventions', label: 'Interventions' },
      ]}
    />
  )
}
