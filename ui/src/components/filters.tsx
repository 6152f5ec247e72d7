import { Search } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { useSearchParams } from 'wouter'
import styles from './filters.module.css'

const PAUSE_MS = 200

/** What is filtered for, kept in the address, so that a view can be sent to somebody. An empty text takes a filter away. */
export function useFilters<Name extends string>(
  ...names: readonly Name[]
): [values: Readonly<Record<Name, string>>, set: (name: Name, value: string) => void] {
  const [search, setSearch] = useSearchParams()
  const values = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Record<Name, string>
  return [
    values,
    (name, value) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before)
          if (value === '') next.delete(name)
          else next.set(name, value)
          return next
        },
        { replace: true },
      ),
  ]
}

/** The controls above a list. */
export function FilterBar({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <search className={styles['bar']} data-testid="filters">
      {children}
    </search>
  )
}

/** A text to search for; the key `/` leads to the first one of a page. */
export function SearchField(props: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly testId: string
}): ReactNode {
  const { value, onChange } = props
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => onChange(text), PAUSE_MS)
    return () => clearTimeout(timer)
  })
  return (
    <label className={styles['search']}>
      <Search size={15} aria-hidden />
      <span className="visually-hidden">{props.label}</span>
      <input
        type="search"
        placeholder={props.label}
        value={text}
        spellCheck={false}
        autoComplete="off"
        data-page-search
        data-testid={props.testId}
        onChange={(event) => setText(event.target.value)}
      />
    </label>
  )
}

/** One of some values, or all of them. */
export function ChoiceField(props: {
  readonly label: string
  /** Empty: all. */
  readonly value: string
  readonly choices: readonly (string | readonly [value: string, label: string])[]
  readonly onChange: (value: string) => void
  /** What the empty value is called; default: all. */
  readonly none?: string
  readonly testId: string
}): ReactNode {
  return (
    <label className={styles['choice']}>
      <span className={styles['choiceLabel']}>{props.label}</span>
      <select value={props.value} data-testid={props.testId} onChange={(event) => props.onChange(event.target.value)}>
        <option value="">{props.none ?? 'all'}</option>
        {props.choices.map((choice) => {
          const [value, label] = typeof choice === 'string' ? [choice, choice.replaceAll('_', ' ')] : choice
          return (
            <option key={value} value={value}>
              {label}
            </option>
          )
        })}
      </select>
    </label>
  )
}
