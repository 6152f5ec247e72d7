import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight, FileText, FolderGit2, Package, SquareTerminal } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import type { ListedObject } from '../../api/reads.ts'
import { Commit } from '../../components/commit.tsx'
import { Link } from '../../components/link.tsx'
import { rootScale } from '../../components/root-scale.ts'
import { bringInSight } from '../../components/rows-in-sight.ts'
import { Status } from '../../components/status.tsx'
import type { Tone } from '../../components/status-tone.ts'
import { Time } from '../../components/time.tsx'
import { useWidth } from '../../components/use-width.ts'
import { classNames } from '../../text/class-names.ts'
import { whole } from '../../text/numbers.ts'
import type { BesideNode, GroupNode } from './beside.ts'
import { iconOfKind } from './kind-icons.ts'
import { resourceHref } from './resource-href.ts'
import styles from './resources.module.css'
import { type Standing, standingOf, type Tally, type TreeNode } from './tree.ts'

const ROW_HEIGHT = 36

export const STANDING: Readonly<Record<Standing, { readonly word: string; readonly tone: Tone }>> = {
  True: { word: 'ready', tone: 'good' },
  False: { word: 'not ready', tone: 'bad' },
  Unknown: { word: 'unknown', tone: 'warn' },
  Suspended: { word: 'suspended', tone: 'wait' },
}

/** What is declared, and what stands beside it. */
export type TreeRow = TreeNode | GroupNode | BesideNode

/**
 * A tree of any length: arrows move, right and left open and close, Enter goes to the page of what is there. Only what is in
 * sight is in the document.
 */
export function ResourceTree(props: {
  readonly rows: readonly TreeRow[]
  readonly onToggle: (id: string) => void
}): ReactNode {
  const { rows, onToggle } = props
  const scroller = useRef<HTMLDivElement>(null)
  const width = useWidth(scroller)
  const [active, setActive] = useState(0)
  const [, navigate] = useLocation()
  const id = useId()
  const rowHeight = ROW_HEIGHT * rootScale()
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 15,
  })
  const goTo = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index))
    setActive(next)
    bringInSight(scroller.current, next, rowHeight)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const row = rows[active]
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        goTo(active + 1)
        break
      case 'ArrowUp':
      case 'k':
        goTo(active - 1)
        break
      case 'Home':
        goTo(0)
        break
      case 'End':
        goTo(rows.length - 1)
        break
      case 'ArrowRight':
        if (row !== undefined && row.children > 0 && !row.isOpen) onToggle(row.id)
        else goTo(active + 1)
        break
      case 'ArrowLeft':
        if (row?.isOpen === true) onToggle(row.id)
        else if (row !== undefined) goTo(rows.findLastIndex((each, at) => at < active && each.depth < row.depth))
        break
      case 'Enter': {
        const href = row === undefined ? null : hrefOf(row)
        if (href !== null) navigate(href)
        else if (row !== undefined) onToggle(row.id)
        break
      }
      default:
        return
    }
    event.preventDefault()
  }
  return (
    <div
      ref={scroller}
      className={styles['scroller']}
      role="treegrid"
      tabIndex={0}
      aria-label="Resources"
      aria-rowcount={rows.length}
      aria-activedescendant={rows[active] === undefined ? undefined : `${id}-${active}`}
      onKeyDown={onKeyDown}
      data-testid="resource-tree"
    >
      <div className={styles['rows']} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          if (row === undefined) return null
          return (
            <div
              key={row.id}
              id={`${id}-${index}`}
              role="row"
              aria-level={row.depth + 1}
              aria-rowindex={index + 1}
              aria-expanded={row.children > 0 ? row.isOpen : undefined}
              className={classNames(
                styles['row'],
                styles[row.type],
                width >= 620 && styles['medium'],
                width >= 900 && styles['wide'],
                index === active && styles['active'],
                row.type === 'object' && standingOf(row.object) === 'False' && styles['loud'],
              )}
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
              onClick={(event) => {
                setActive(index)
                if (!(event.target as Element).closest('a, button') && row.children > 0) onToggle(row.id)
              }}
              data-testid={`tree-${row.type}`}
            >
              <Row row={row} width={width} onToggle={onToggle} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

function hrefOf(row: TreeRow): string | null {
  if (row.type === 'beside') return row.href
  if (row.type === 'object') return resourceHref(row.object)
  if (row.type === 'source') return row.object === null ? null : resourceHref(row.object)
  return null
}

function Row(props: {
  readonly row: TreeRow
  readonly width: number
  readonly onToggle: (id: string) => void
}): ReactNode {
  const { row, width, onToggle } = props
  return (
    <>
      <div className={styles['label']} role="gridcell" style={{ paddingInlineStart: `${row.depth * 1.25}rem` }}>
        {row.children > 0 ? (
          <button
            type="button"
            className={classNames(styles['toggle'], row.isOpen && styles['open'])}
            tabIndex={-1}
            aria-label={`${row.isOpen ? 'Close' : 'Open'} ${row.label}`}
            onClick={() => onToggle(row.id)}
            data-testid={`toggle-${row.type}`}
          >
            <ChevronRight size={15} aria-hidden />
          </button>
        ) : (
          <span className={styles['noToggle']} />
        )}
        <Label row={row} />
      </div>
      <Cells row={row} width={width} />
    </>
  )
}

function Label({ row }: { readonly row: TreeRow }): ReactNode {
  switch (row.type) {
    case 'group':
      return (
        <>
          <Package size={16} aria-hidden />
          <span className={styles['name']}>{row.label}</span>
        </>
      )
    case 'beside': {
      const Icon = iconOfKind(row.kind)
      return (
        <>
          <Icon size={16} aria-hidden />
          {row.href === null ? (
            <span className={styles['name']}>{row.label}</span>
          ) : (
            <Link href={row.href} className={styles['name']} tabIndex={-1}>
              {row.label}
            </Link>
          )}
          <span className={styles['kind']}>{row.kind}</span>
        </>
      )
    }
    case 'source':
      return (
        <>
          <FolderGit2 size={16} aria-hidden />
          {row.object === null ? (
            <span className={styles['name']}>{row.label === '' ? 'of this process' : row.label}</span>
          ) : (
            <Link href={resourceHref(row.object)} className={styles['name']} tabIndex={-1}>
              {row.label}
            </Link>
          )}
        </>
      )
    case 'file':
      return (
        <>
          <FileText size={15} aria-hidden />
          <span className={styles['file']}>{row.label}</span>
        </>
      )
    case 'instance':
      return (
        <>
          <SquareTerminal size={15} aria-hidden />
          <span className={styles['file']}>{row.label}</span>
        </>
      )
    case 'object': {
      const Icon = iconOfKind(row.object.kind)
      return (
        <>
          <Icon size={16} aria-hidden />
          <Link href={resourceHref(row.object)} className={styles['name']} tabIndex={-1}>
            {row.label}
          </Link>
          <span className={styles['kind']}>{row.object.kind}</span>
        </>
      )
    }
  }
}

function Cells({ row, width }: { readonly row: TreeRow; readonly width: number }): ReactNode {
  if (row.type === 'group')
    return (
      <span className={styles['tally']} role="gridcell">
        {whole(row.children)}
      </span>
    )
  if (row.type === 'beside')
    return (
      <>
        <span role="gridcell" className={styles['status']}>
          <Status {...(row.isReady ? { value: 'ready' } : { value: 'not ready', tone: 'bad' })} look="plain" />
        </span>
        {width >= 620 ? (
          <span role="gridcell" className={styles['message']} title={row.message}>
            {row.message}
          </span>
        ) : null}
      </>
    )
  if (row.type === 'source' || row.type === 'file')
    return (
      <span className={styles['tally']} role="gridcell">
        {row.type === 'source' && row.object !== null && standingOf(row.object) !== 'True' ? (
          <Status {...sourceStatus(row.object)} look="plain" />
        ) : null}
        <TallyText tally={row.tally} />
      </span>
    )
  if (row.type === 'instance') {
    const { instance } = row
    return (
      <>
        <span role="gridcell" className={styles['status']}>
          <Status value={instance.health} look="plain" />
        </span>
        {width >= 620 ? (
          <span role="gridcell" className={styles['message']}>
            on {instance.host}
            {instance.restarts === 0 ? '' : `, ${whole(instance.restarts)} restarts`}
            {instance.busy ? ', busy' : ''}
          </span>
        ) : null}
        {width >= 900 ? (
          <>
            <span role="gridcell" />
            <span role="gridcell" className={styles['age']}>
              <Time at={instance.started_at} />
            </span>
          </>
        ) : null}
      </>
    )
  }
  const { object } = row
  const standing = STANDING[standingOf(object)]
  const ready = object.conditions.find(({ type }) => type === 'Ready')
  const drifted = object.conditions.some(({ type, status }) => type === 'Drifted' && status === 'True')
  return (
    <>
      <span role="gridcell" className={styles['status']}>
        {object.deletion_timestamp !== null ? (
          <Status value="deleting" look="plain" />
        ) : (
          <Status value={drifted ? 'drifted' : standing.word} tone={drifted ? 'warn' : standing.tone} look="plain" />
        )}
      </span>
      {width >= 620 ? (
        <span role="gridcell" className={styles['message']} title={ready?.message}>
          {ready?.message ?? ''}
        </span>
      ) : null}
      {width >= 900 ? (
        <>
          <span role="gridcell">
            <Link href={`/commits/${object.revision}`} tabIndex={-1}>
              <Commit id={object.revision} />
            </Link>
          </span>
          <span role="gridcell" className={styles['age']}>
            <Time at={object.created_at} />
          </span>
        </>
      ) : null}
    </>
  )
}

/** A source says for itself whether all of it was applied. */
function sourceStatus(object: ListedObject): {
  readonly value: string
  readonly tone: Tone
  readonly title: string | undefined
} {
  const { word, tone } = STANDING[standingOf(object)]
  return { value: word, tone, title: object.conditions.find(({ type }) => type === 'Ready')?.message }
}

function TallyText({ tally }: { readonly tally: Tally }): ReactNode {
  return (
    <>
      {tally.failing === 0 ? null : <span className={styles['failing']}>{whole(tally.failing)} not ready</span>}
      {tally.pending === 0 ? null : <span className={styles['pending']}>{whole(tally.pending)} unknown</span>}
      <span>
        {whole(tally.total)} {tally.total === 1 ? 'object' : 'objects'}
      </span>
    </>
  )
}
