import type { ReactNode } from 'react'
import styles from './cut-name.module.css'

const END = 7

/** A name whose last letters tell it from others, such as that of a run: where there is no room, it is cut before them. */
export function CutName({ name }: { readonly name: string }): ReactNode {
  const at = Math.max(0, name.length - END)
  return (
    <span className={styles['name']} title={name}>
      <span className={styles['start']}>{name.slice(0, at)}</span>
      <span>{name.slice(at)}</span>
    </span>
  )
}
