import type { ReactNode } from 'react'
import styles from './text-block.module.css'

/**
 * Text that somebody or something wrote, exactly as it is stored: markup in it is text like the rest, and links in it lead
 * nowhere. `wrap` (the default) breaks long lines, as prose wants it; else it scrolls, as code does.
 */
export function TextBlock(props: {
  readonly text: string
  readonly label: string
  readonly wrap?: boolean
  readonly testId?: string
}): ReactNode {
  return (
    <pre
      className={props.wrap === false ? styles['code'] : styles['prose']}
      tabIndex={0}
      aria-label={props.label}
      data-testid={props.testId ?? 'text'}
    >
      {props.text}
    </pre>
  )
}

/** A value as JSON, indented. */
export function JsonBlock(props: {
  readonly value: unknown
  readonly label: string
  readonly testId?: string
}): ReactNode {
  return (
    <TextBlock
      text={JSON.stringify(props.value, null, 2) ?? 'null'}
      label={props.label}
      wrap={false}
      {...(props.testId === undefined ? {} : { testId: props.testId })}
    />
  )
}
