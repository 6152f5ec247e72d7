import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { ChoiceField, useFilters } from '../../components/filters.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { layoutOf, type PlacedWidget } from './layout.ts'
import styles from './overview.module.css'
import { WIDGETS } from './widgets.ts'

/** How everything stands, at one look: the layout is declared in the state repo, or the page's own. */
export function Page(): ReactNode {
  const overview = useRead('/api/v1/overview')
  const [{ dashboard }, setFilter] = useFilters('dashboard')
  const dashboards = overview.data?.dashboards ?? []
  const { title, widgets } = layoutOf(dashboards, dashboard)
  return (
    <PageFrame
      title={title}
      aside={
        dashboards.length < 2 ? undefined : (
          <ChoiceField
            label="Dashboard"
            value={dashboard}
            choices={dashboards.map((each) => [`${each.namespace}/${each.name}`, each.title ?? each.name] as const)}
            onChange={(value) => setFilter('dashboard', value)}
            testId="dashboard-choice"
          />
        )
      }
    >
      <div className={styles['grid']}>
        {widgets.map((widget) => (
          <Placed key={`${widget.type} ${widget.x} ${widget.y}`} widget={widget} />
        ))}
      </div>
    </PageFrame>
  )
}

function Placed({ widget }: { readonly widget: PlacedWidget }): ReactNode {
  const known = WIDGETS[widget.type]
  // A widget of a newer version: this page leaves it out.
  if (known === undefined) return null
  const { title, Widget, flush, aside: Aside } = known
  return (
    <div
      className={styles['place']}
      style={{
        ['--column' as string]: `${widget.x + 1} / span ${Math.min(widget.w, 12 - widget.x)}`,
        ['--row' as string]: `${widget.y + 1} / span ${widget.h}`,
      }}
    >
      <Card
        title={widget.title ?? title}
        testId={`widget-${widget.type}`}
        flush={flush === true}
        {...(Aside === undefined ? {} : { aside: <Aside /> })}
      >
        <Widget />
      </Card>
    </div>
  )
}
