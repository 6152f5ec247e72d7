import { diffLines } from 'diff'
import type { ReactNode } from 'react'
import { classNames } from '../text/class-names.ts'
import styles from './diff.module.css'

type Kind = 'same' | 'added' | 'removed' | 'place'
interface Line {
  readonly kind: Kind
  readonly text: string
}

const SIGNS: Readonly<Record<Kind, string>> = { same: ' ', added: '+', removed: '-', place: ' ' }
const SPOKEN: Readonly<Record<Kind, string>> = { same: '', added: 'added: ', removed: 'removed: ', place: '' }

/** Two texts, line by line; `context` lines around what differs (default: 3), the rest is left out. */
export function Diff(props: {
  readonly before: string
  readonly after: string
  readonly label: string
  readonly context?: number
}): ReactNode {
  const lines = linesOf(props.before, props.after, props.context ?? 3)
  if (lines.every(({ kind }) => kind === 'same' || kind === 'place'))
    return <p className={styles['none']}>No difference.</p>
  return <Lines lines={lines} label={props.label} />
}

/** A patch as git writes it. */
export function Patch(props: { readonly text: string; readonly label: string }): ReactNode {
  const lines = props.text.split('\n').map((text): Line => {
    if (text.startsWith('@@') || /^(?:diff|index|---|\+\+\+|new file|deleted file|rename|similarity) ?/.test(text))
      return { kind: 'place', text }
    if (text.startsWith('+')) return { kind: 'added', text: text.slice(1) }
    if (text.startsWith('-')) return { kind: 'removed', text: text.slice(1) }
    return { kind: 'same', text: text.startsWith(' ') ? text.slice(1) : text }
  })
  return <Lines lines={lines} label={props.label} />
}

function Lines({ lines, label }: { readonly lines: readonly Line[]; readonly label: string }): ReactNode {
  return (
    <figure className={styles['diff']} aria-label={label} data-testid="diff">
      <pre className={styles['lines']} tabIndex={0}>
        {lines.map(({ kind, text }, at) => (
          <span key={at} className={classNames(styles['line'], styles[kind])}>
            <span className={styles['sign']} aria-hidden>
              {SIGNS[kind]}
            </span>
            <span className="visually-hidden">{SPOKEN[kind]}</span>
            {text}
            {'\n'}
          </span>
        ))}
      </pre>
    </figure>
  )
}

function linesOf(before: string, after: string, context: number): Line[] {
  const lines = diffLines(before, after).flatMap(({ value, added, removed }) => {
    const kind: Kind = added ? 'added' : removed ? 'removed' : 'same'
    return value
      .replace(/\n$/, '')
      .split('\n')
      .map((text): Line => ({ kind, text }))
  })
  const near = lines.map((_line, at) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(({ kind }) => kind !== 'same'),
  )
  const shown: Line[] = []
  for (const [at, line] of lines.entries()) {
    if (near[at]) shown.push(line)
    else if (shown.at(-1)?.kind !== 'place') shown.push({ kind: 'place', text: '⋯' })
  }
  return shown
}
