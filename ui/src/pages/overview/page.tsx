import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Card, PageFrame } from '../../components/page.tsx'
import { Loaded } from '../../components/states.tsx'

/** How everything stands, at one look. */
export function Page(): ReactNode {
  const dashboard = useRead('/api/v1/dashboard')
  return (
    <PageFrame title="Overview">
      <Card title="Runs">
        <Loaded of={dashboard}>{({ runs }) => <pre>{JSON.stringify(runs, null, 2)}</pre>}</Loaded>
      </Card>
    </PageFrame>
  )
}
