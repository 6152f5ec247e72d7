import { AxisBottom, AxisLeft } from '@visx/axis'
import { scaleBand, scaleLinear } from '@visx/scale'
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './stacked-bars.module.css'
import { useWidth } from './use-width.ts'

export interface BarSeries {
  readonly name: string
  /** One for each place on the axis. */
  readonly amounts: readonly number[]
}

interface StackedBarsProps {
  readonly label: string
  readonly places: readonly string[]
  readonly series: readonly BarSeries[]
  /** How an amount is written. */
  readonly format: (amount: number) => string
  /** How a place is written below the axis; default: as it is. */
  readonly placeText?: (place: string) => string
  readonly testId: string
}

const HEIGHT = 280
const MARGIN = { top: 12, right: 20, bottom: 28, left: 62 } as const
/** As many as there are colours. */
const COLOURS = 7

/**
 * Amounts on top of each other, one bar for each place. Its numbers are said by the line below for the bar that is pointed
 * at, or gone to with the arrow keys; all of them belong into a table beside it.
 */
export function StackedBars(props: StackedBarsProps): ReactNode {
  const { places, series, format, placeText = (place) => place } = props
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const [at, setAt] = useState<number | null>(null)
  const totals = places.map((_place, place) => series.reduce((sum, { amounts }) => sum + (amounts[place] ?? 0), 0))
  const x = scaleBand({
    domain: [...places],
    range: [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)],
    padding: 0.22,
  })
  const y = scaleLinear({
    domain: [0, Math.max(...totals, 0) || 1],
    range: [HEIGHT - MARGIN.bottom, MARGIN.top],
    nice: 4,
  })
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = movedTo(event.key, at, places.length)
    if (next === undefined) return
    event.preventDefault()
    setAt(next)
  }
  return (
    <div className={styles['chart']}>
      <div
        ref={frame}
        className={styles['frame']}
        role="img"
        aria-label={props.label}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerLeave={() => setAt(null)}
        data-testid={props.testId}
      >
        {width === 0 ? null : (
          <svg width={width} height={HEIGHT} aria-hidden focusable="false">
            <AxisLeft
              scale={y}
              left={MARGIN.left}
              numTicks={4}
              hideTicks
              hideAxisLine
              tickFormat={(value) => format(Number(value))}
              tickLabelProps={{ className: classNames(styles['tick']), textAnchor: 'end', dx: -8, dy: '0.32em' }}
            />
            {y.ticks(4).map((value) => (
              <line
                key={value}
                className={styles['grid']}
                x1={MARGIN.left}
                x2={width - MARGIN.right}
                y1={y(value)}
                y2={y(value)}
              />
            ))}
            {places.map((place, index) => (
              <Bar
                key={place}
                left={x(place) ?? 0}
                width={x.bandwidth()}
                amounts={series.map(({ amounts }) => amounts[index] ?? 0)}
                y={y}
                isFaint={at !== null && at !== index}
                onPoint={() => setAt(index)}
              />
            ))}
            <AxisBottom
              scale={x}
              top={HEIGHT - MARGIN.bottom}
              hideTicks
              tickValues={labelled(places, width)}
              tickFormat={placeText}
              tickLabelProps={{ className: classNames(styles['tick']), textAnchor: 'middle', dy: '0.25em' }}
              stroke="var(--line-strong)"
            />
          </svg>
        )}
      </div>
      <p className={styles['said']} role="status">
        {at === null ? (
          <span className={styles['hint']}>Point at a bar, or use the arrow keys, to read it.</span>
        ) : (
          <>
            <strong>{places[at]}</strong> <span className="numeric">{format(totals[at] ?? 0)}</span>
          </>
        )}
      </p>
      <ul className={styles['legend']}>
        {series.map(({ name, amounts }, index) => (
          <li key={name} className={styles['key']}>
            <span className={classNames(styles['swatch'], styles[colourOf(index)])} aria-hidden />
            <span className={styles['name']}>{name}</span>
            <span className="numeric">
              {format(at === null ? amounts.reduce((sum, amount) => sum + amount, 0) : (amounts[at] ?? 0))}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Bar(props: {
  readonly left: number
  readonly width: number
  readonly amounts: readonly number[]
  readonly y: (amount: number) => number
  readonly isFaint: boolean
  readonly onPoint: () => void
}): ReactNode {
  const { left, width, amounts, y, isFaint, onPoint } = props
  let below = 0
  return (
    <g className={isFaint ? styles['faint'] : undefined} onPointerEnter={onPoint}>
      <rect x={left} width={width} y={MARGIN.top} height={HEIGHT - MARGIN.top - MARGIN.bottom} fill="transparent" />
      {amounts.map((amount, index) => {
        const [bottom, top] = [y(below), y(below + amount)]
        below += amount
        return amount === 0 ? null : (
          <rect
            key={index}
            className={styles[colourOf(index)]}
            x={left}
            width={width}
            y={top}
            height={Math.max(1, bottom - top - (below > amount ? 1 : 0))}
          />
        )
      })}
    </g>
  )
}

function colourOf(series: number): string {
  return `series${(series % COLOURS) + 1}`
}

/** As many places as their labels have room. */
function labelled(places: readonly string[], width: number): string[] {
  const every = Math.max(1, Math.ceil(places.length / Math.max(2, Math.floor(width / 88))))
  return places.filter((_place, index) => (places.length - 1 - index) % every === 0)
}

/** Undefined: the key is none of this. */
function movedTo(key: string, at: number | null, count: number): number | null | undefined {
  if (count === 0) return undefined
  if (key === 'ArrowRight') return at === null ? 0 : Math.min(count - 1, at + 1)
  if (key === 'ArrowLeft') return at === null ? count - 1 : Math.max(0, at - 1)
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return key === 'Escape' ? null : undefined
}
