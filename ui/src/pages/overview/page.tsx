import type { ReactNode } from 'react'
import { useRead } from '../../api/use-read.ts'
import { ChoiceField, useFilters } from '../../components/filters.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Settling } from '../../components/settling.tsx'
import { layoutOf, type PlacedWidget } from './layout.ts'
import styles from './overview.module.css'
import { useWaiting } from './use-waiting.ts'
import { Verdict } from './verdict.tsx'
import { WIDGETS } from './widgets.ts'

/** How everything stands, at one look: the layout is declared in the state repo, or the page's own. */
export function Page(): ReactNode {
  const overview = useRead('/api/v1/overview')
  const [{ dashboard }, setFilter] = useFilters('dashboard')
  const dashboards = overview.data?.dashboards ?? []
  const { title, widgets } = layoutOf(dashboards, dashboard)
  const { items: waiting } = useWaiting()
  return (
    <PageFrame
      title={title}
      isWide
      tab={waiting.length === 0 ? title : `(${waiting.length}) ${title}`}
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
      <Settling placeholder={<Blanks widgets={widgets} />}>
        <div className={styles['parts']}>
          <Verdict />
          <div className={styles['grid']}>
            {widgets.map((widget) => (
              <Placed key={`${widget.type} ${widget.x} ${widget.y}`} widget={widget} />
            ))}
          </div>
        </div>
      </Settling>
    </PageFrame>
  )
}

/** Surfaces where the parts are going to be. */
function Blanks({ widgets }: { readonly widgets: readonly PlacedWidget[] }): ReactNode {
  return (
    <div className={styles['parts']} aria-hidden>
      <div className={styles['blank']} />
      <div className={styles['grid']}>
        {widgets.map((widget) => (
          <div key={`${widget.type} ${widget.x} ${widget.y}`} className={styles['place']} style={placeOf(widget)}>
            <div className={styles['blank']} />
          </div>
        ))}
      </div>
    </div>
  )
}

function placeOf({ x, y, w, h }: PlacedWidget): Record<string, string> {
  return { '--column': `${x + 1} / span ${Math.min(w, 12 - x)}`, '--row': `${y + 1} / span ${h}` }
}

function Placed({ widget }: { readonly widget: PlacedWidget }): ReactNode {
  const known = WIDGETS[widget.type]
  // A widget of a newer version: this page leaves it out.
  if (known === undefined) return null
  const { title, Widget, flush, aside: Aside } = known
  return (
    <div className={styles['place']} style={placeOf(widget)}>
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
