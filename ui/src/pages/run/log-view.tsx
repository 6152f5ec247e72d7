import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDownToLine, ChevronDown, ChevronUp, Download } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '../../components/button.tsx'
import { rootScale } from '../../components/root-scale.ts'
import { Empty, Failure, Skeleton } from '../../components/states.tsx'
import { useSettings } from '../../settings/settings.tsx'
import { classNames } from '../../text/class-names.ts'
import { whole } from '../../text/numbers.ts'
import { stamp } from '../../text/time.ts'
import { findInLog, isOfStep, type LogLine } from './log-lines.ts'
import styles from './log-view.module.css'
import { useLog } from './use-log.ts'

const LINE_HEIGHT = 20

/**
 * A log as it is written: searchable, of any length, at its end while it grows unless somebody scrolls up. Whatever is in it
 * is text.
 */
export function LogView(props: {
  /** Where it is read; with `follow=true` while it grows. */
  readonly address: string
  readonly label: string
  /** Only what this step wrote. */
  readonly step?: string | null
  /** A file of all of it. */
  readonly download: string
  readonly fileName: string
}): ReactNode {
  const { address, label, step = null } = props
  const log = useLog(address)
  const { zone } = useSettings()
  const [text, setText] = useState('')
  const [only, setOnly] = useState(false)
  const [follows, setFollows] = useState(true)
  const [at, setAt] = useState(0)
  const ofStep = useMemo(() => log.lines.filter((line) => isOfStep(line, step)), [log.lines, step])
  const found = useMemo(() => findInLog(ofStep, text), [ofStep, text])
  const lines = useMemo(
    () => (only && text !== '' ? found.map((index) => ofStep[index]!) : ofStep),
    [only, text, found, ofStep],
  )
  const scroller = useRef<HTMLDivElement>(null)
  const lineHeight = LINE_HEIGHT * rootScale()
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  })
  useEffect(() => {
    if (follows && text === '' && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follows, text, lines.length, virtualizer])
  const goTo = (next: number): void => {
    if (found.length === 0) return
    const index = (next + found.length) % found.length
    setAt(index)
    virtualizer.scrollToIndex(only ? index : found[index]!, { align: 'center' })
  }
  const longest = useMemo(() => lines.reduce((most, line) => Math.max(most, line.text.length), 0), [lines])
  const current = only ? at : found[at]
  if (log.error !== null && log.lines.length === 0) return <Failure error={log.error} onRetry={log.retry} />
  return (
    <section className={styles['log']} aria-label={label} data-testid="log">
      <div className={styles['bar']}>
        <input
          type="search"
          className={styles['search']}
          placeholder="Search the log"
          aria-label="Search the log"
          value={text}
          spellCheck={false}
          data-page-search
          data-testid="log-search"
          onChange={(event) => {
            setText(event.target.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') goTo(event.shiftKey ? at - 1 : at + 1)
          }}
        />
        {text === '' ? null : (
          <>
            <span className={styles['hits']} role="status">
              {found.length === 0
                ? 'nothing found'
                : `${whole(Math.min(at + 1, found.length))} of ${whole(found.length)}`}
            </span>
            <Button onClick={() => goTo(at - 1)} testId="log-previous" look="quiet" label="Previous">
              <ChevronUp size={15} aria-hidden />
            </Button>
            <Button onClick={() => goTo(at + 1)} testId="log-next" look="quiet" label="Next">
              <ChevronDown size={15} aria-hidden />
            </Button>
            <Button onClick={() => setOnly(!only)} testId="log-only" pressed={only}>
              Only these
            </Button>
          </>
        )}
        <span className={styles['space']} />
        <span className={styles['state']} role="status">
          {log.isOpen ? 'live' : `${whole(ofStep.length)} lines`}
        </span>
        <Button onClick={() => setFollows(!follows)} testId="log-follow" pressed={follows} label="Stay at the end">
          <ArrowDownToLine size={15} aria-hidden />
        </Button>
        <a
          className={styles['download']}
          href={props.download}
          download={props.fileName}
          data-testid="log-download"
          aria-label="Download the log"
          title="Download the log"
        >
          <Download size={15} aria-hidden />
        </a>
      </div>
      {lines.length === 0 ? (
        log.isOpen && log.lines.length === 0 && text === '' ? (
          <Waiting />
        ) : (
          <Empty title={text === '' ? 'Nothing was written' : 'Nothing like that was written'} />
        )
      ) : (
        <div
          ref={scroller}
          className={styles['scroller']}
          tabIndex={0}
          role="log"
          aria-label={label}
          aria-live="off"
          onWheel={(event) => {
            if (event.deltaY < 0) setFollows(false)
          }}
        >
          {log.dropped === 0 ? null : (
            <p className={styles['dropped']}>{whole(log.dropped)} lines before this are in the file only.</p>
          )}
          <div
            className={styles['lines']}
            style={{ height: virtualizer.getTotalSize(), minWidth: `calc(${longest}ch + 22rem)` }}
          >
            {virtualizer.getVirtualItems().map(({ index, start }) => (
              <Line
                key={index}
                line={lines[index]!}
                top={start}
                height={lineHeight}
                isCurrent={text !== '' && index === current}
                mark={text}
                hidesStep={step !== null}
                zone={zone}
              />
            ))}
          </div>
        </div>
      )}
    </section>
  )
}

/** Something may still be written: the placeholder gives way after a moment. */
function Waiting(): ReactNode {
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 1_500)
    return () => clearTimeout(timer)
  }, [])
  return isLong ? (
    <Empty title="Nothing was written yet">What comes is shown here as it is written.</Empty>
  ) : (
    <div className={styles['waiting']}>
      <Skeleton lines={5} />
    </div>
  )
}

function Line(props: {
  readonly line: LogLine
  readonly top: number
  readonly height: number
  readonly isCurrent: boolean
  readonly mark: string
  readonly hidesStep: boolean
  readonly zone: string
}): ReactNode {
  const { line, mark } = props
  return (
    <div
      className={classNames(styles['line'], props.isCurrent && styles['current'])}
      style={{ transform: `translateY(${props.top}px)`, height: props.height }}
    >
      {line.time === null ? null : (
        <time className={styles['time']} dateTime={line.time} title={line.time}>
          {stamp(Date.parse(line.time), props.zone, true).slice(11)}
        </time>
      )}
      {line.step === null || props.hidesStep ? null : <span className={styles['step']}>{line.step}</span>}
      <span className={styles['text']}>{mark === '' ? line.text : <Marked text={line.text} mark={mark} />}</span>
    </div>
  )
}

function Marked({ text, mark }: { readonly text: string; readonly mark: string }): ReactNode {
  const parts: ReactNode[] = []
  const [lower, wanted] = [text.toLowerCase(), mark.toLowerCase()]
  let from = 0
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + mark.length)}</mark>)
    from = at + mark.length
  }
  return [...parts, text.slice(from)]
}
