import { Compass } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'

/** No page is at this address. */
export function NotFound(): ReactNode {
  return (
    <PageFrame title="Nothing is here">
      <Empty title="No page is at this address" icon={Compass}>
        <p>
          It may have moved, or the link was cut short. <Link href="/">Go to the overview</Link>, or press Ctrl-K to
          find something by its name.
        </p>
      </Empty>
    </PageFrame>
  )
}
