import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, memo, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { classNames } from '../text/class-names.ts'
import styles from './data-table.module.css'
import { Link } from './link.tsx'
import { rootScale } from './root-scale.ts'
import { bringInSight } from './rows-in-sight.ts'
import { useWidth } from './use-width.ts'

export interface Column<Row> {
  readonly id: string
  readonly header: string
  /** A track of a CSS grid: `minmax(10rem, 2fr)`, `7rem`. */
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  readonly align?: 'start' | 'end'
  /** Shown only where the table is at least so wide, in pixels. Default: always. */
  readonly from?: number
}

export interface DataTableProps<Row> {
  /** What is listed, for who hears it. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Where a row leads, below `/ui`. */
  readonly href?: (row: Row) => string | null
  /** What Enter and a click do where a row leads nowhere. */
  readonly onOpen?: (row: Row) => void
  /** The row that is shown beside the table. */
  readonly selected?: string | null
  /** A row that stands out: what failed. */
  readonly isLoud?: (row: Row) => boolean
  /** Called when the end comes into sight. */
  readonly onEnd?: (() => void) | undefined
  /** What stands there without rows. */
  readonly empty: ReactNode
  /** There may be rows in a moment: placeholders stand for them. */
  readonly isLoading?: boolean
  /** In pixels, where letters have their usual size; default: 40. */
  readonly rowHeight?: number
  readonly testId: string
}

const OVERSCAN = 12

/**
 * A table of any length: only what is in sight is in the document. Arrows, j, k, Home, End, PageUp and PageDown move, Enter
 * opens. Every row is as high as the others, so that nothing moves while it loads.
 */
export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { rows, onEnd, isLoading = false } = props
  const rowHeight = (props.rowHeight ?? 40) * rootScale()
  const scroller = useRef<HTMLDivElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(-1)
  const [, navigate] = useLocation()
  const width = useWidth(scroller)
  const id = useId()
  const columns = useMemo(
    () => props.columns.filter(({ from }) => from === undefined || width === 0 || width >= from),
    [props.columns, width],
  )
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
  })
  const items = virtualizer.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - OVERSCAN) onEnd?.()
  }, [last, rows.length, onEnd])

  const open = (row: Row): void => {
    const href = props.href?.(row) ?? null
    if (href !== null) navigate(href)
    else props.onOpen?.(row)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const next = movedTo(
      event.key,
      active,
      rows.length,
      Math.floor((scroller.current?.clientHeight ?? 400) / rowHeight) - 2,
    )
    if (next !== null) {
      event.preventDefault()
      setActive(next)
      bringInSight(scroller.current, next, rowHeight, head.current?.offsetHeight)
    } else if (event.key === 'Enter' && rows[active] !== undefined) {
      event.preventDefault()
      open(rows[active])
    }
  }

  if (rows.length === 0 && !isLoading) return <div className={styles['empty']}>{props.empty}</div>
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') }
  return (
    <div
      ref={scroller}
      className={styles['scroller']}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-busy={isLoading}
      aria-activedescendant={active >= 0 && active < rows.length ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
      data-testid={props.testId}
    >
      <div ref={head} className={styles['head']} role="rowgroup">
        <div className={styles['row']} role="row" aria-rowindex={1} style={template}>
          {columns.map((column) => (
            <div
              key={column.id}
              role="columnheader"
              className={classNames(styles['cell'], styles[column.align ?? 'start'])}
            >
              {column.header}
            </div>
          ))}
        </div>
      </div>
      {rows.length === 0 ? (
        <Placeholders columns={columns.length} template={template} rowHeight={rowHeight} />
      ) : (
        <div className={styles['body']} role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const row = rows[index]
            if (row === undefined) return null
            const key = props.rowKey(row)
            return (
              <div
                key={key}
                id={`${id}-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={props.selected === undefined ? undefined : props.selected === key}
                className={classNames(
                  styles['row'],
                  styles['line'],
                  index === active && styles['active'],
                  props.isLoud?.(row) && styles['loud'],
                )}
                style={{ ...template, height: rowHeight, transform: `translateY(${start}px)` }}
                onClick={(event) => {
                  setActive(index)
                  if (!(event.target as Element).closest('a, button')) open(row)
                }}
                data-testid={`${props.testId}-row`}
              >
                <Cells
                  row={row}
                  columns={columns as unknown as readonly Column<unknown>[]}
                  href={props.href?.(row) ?? null}
                />
              </div>
            )
          })}
        </div>
      )}
    </div>
  )
}

/** Made again only when the row is another one: scrolling and moving about change none. */
const Cells = memo(function Cells(props: {
  readonly row: unknown
  readonly columns: readonly Column<unknown>[]
  readonly href: string | null
}): ReactNode {
  return props.columns.map((column, at) => (
    <div key={column.id} role="gridcell" className={classNames(styles['cell'], styles[column.align ?? 'start'])}>
      {at === 0 ? <Leading row={props.row} column={column} href={props.href} /> : column.cell(props.row)}
    </div>
  ))
})

/** The first cell is a link, so that it can be opened beside, copied, and read as one. */
function Leading<Row>(props: {
  readonly row: Row
  readonly column: Column<Row>
  readonly href: string | null
}): ReactNode {
  const content = props.column.cell(props.row)
  if (props.href === null) return content
  return (
    <Link href={props.href} className={styles['link']} tabIndex={-1}>
      {content}
    </Link>
  )
}

function Placeholders(props: {
  readonly columns: number
  readonly template: { readonly gridTemplateColumns: string }
  readonly rowHeight: number
}): ReactNode {
  return (
    <div className={styles['placeholders']} role="rowgroup" aria-hidden>
      {Array.from({ length: 8 }, (_, row) => (
        <div
          key={row}
          className={classNames(styles['row'], styles['still'])}
          style={{ ...props.template, height: props.rowHeight }}
        >
          {Array.from({ length: props.columns }, (_each, column) => (
            <div key={column} className={styles['cell']}>
              <span className={styles['bar']} />
            </div>
          ))}
        </div>
      ))}
    </div>
  )
}

function movedTo(key: string, active: number, count: number, page: number): number | null {
  if (count === 0) return null
  const within = (index: number): number => Math.max(0, Math.min(count - 1, index))
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return within(active + 1)
    case 'ArrowUp':
    case 'k':
      return within(active - 1)
    case 'PageDown':
      return within(active + page)
    case 'PageUp':
      return within(active - page)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}
