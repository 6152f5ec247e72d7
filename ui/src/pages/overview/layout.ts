import type { Answer } from '../../api/get.ts'

export type Dashboard = Answer<'/api/v1/overview'>['dashboards'][number]
export type PlacedWidget = Dashboard['widgets'][number]

const place = (type: string, x: number, y: number, w: number, h: number): PlacedWidget => ({
  type,
  x,
  y,
  w,
  h,
  title: null,
})

/** The layout where none is declared: what has to be seen first stands first, also where all stand below each other. */
const OWN_LAYOUT: readonly PlacedWidget[] = [
  place('sync', 0, 0, 8, 2),
  place('health', 8, 0, 4, 2),
  place('waiting', 0, 2, 7, 3),
  place('runs', 7, 2, 5, 3),
  place('agents', 0, 5, 4, 4),
  place('hosts', 4, 5, 4, 2),
  place('drift', 4, 7, 4, 2),
  place('spend', 8, 5, 4, 2),
  place('alerts', 8, 7, 4, 2),
  place('queue', 0, 9, 12, 1),
]

export interface Layout {
  readonly title: string
  readonly widgets: readonly PlacedWidget[]
}

/** The dashboard that is asked for as `<namespace>/<name>`; else the one called `overview`; else the page's own layout. */
export function layoutOf(dashboards: readonly Dashboard[], asked: string): Layout {
  const found =
    dashboards.find(({ namespace, name }) => `${namespace}/${name}` === asked) ??
    dashboards.find(({ namespace, name }) => namespace === 'default' && name === 'overview')
  if (found === undefined) return { title: 'Overview', widgets: OWN_LAYOUT }
  const isOverview = found.namespace === 'default' && found.name === 'overview'
  return { title: found.title ?? (isOverview ? 'Overview' : found.name), widgets: inOrder(found.widgets) }
}

/** By row and column: the order in which they are read, and stand on narrow screens. */
function inOrder(widgets: readonly PlacedWidget[]): readonly PlacedWidget[] {
  return [...widgets].sort((a, b) => a.y - b.y || a.x - b.x)
}
