import type { ReactNode } from 'react'

/** A commit by its first letters; the whole of it as the title, to be copied from there. */
export function Commit({ id }: { readonly id: string | null | undefined }): ReactNode {
  if (id === null || id === undefined || id === '') return <span>–</span>
  return <code title={id}>{id.replace(/^sha1:/, '').slice(0, 10)}</code>
}
