import type { ReactNode } from 'react'
import styles from './segments.module.css'

/** One of a few, all of them in sight. */
export function Segments<Value extends string>(props: {
  readonly label: string
  readonly value: Value
  readonly choices: readonly (readonly [value: Value, label: string])[]
  readonly onChange: (value: Value) => void
  readonly testId: string
}): ReactNode {
  return (
    <fieldset className={styles['segments']} data-testid={props.testId}>
      <legend className="visually-hidden">{props.label}</legend>
      {props.choices.map(([value, label]) => (
        <button
          key={value}
          type="button"
          className={styles['segment']}
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
          data-testid={`${props.testId}-${value}`}
        >
          {label}
        </button>
      ))}
    </fieldset>
  )
}
