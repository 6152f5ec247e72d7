import { type ReactNode, useEffect, useRef } from 'react'
import type { ObjectDetail } from '../../api/reads.ts'
import { Commit } from '../../components/commit.tsx'
import { Link } from '../../components/link.tsx'
import { Card } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'
import { classNames } from '../../text/class-names.ts'
import styles from './resource.module.css'

/** The file an object is written in, as it was accepted, at the line where its document begins. */
export function FileText({ object }: { readonly object: ObjectDetail }): ReactNode {
  const { text, line } = object
  const own = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (line !== null && line > 1) own.current?.scrollIntoView({ block: 'center' })
  }, [line])
  if (text === null)
    return (
      <Empty title="There is no file to show">
        {object.file === '' || object.file.startsWith('(')
          ? 'It was not declared in a file.'
          : 'It is gone from the repository, too large, or not text.'}
      </Empty>
    )
  const lines = text.replace(/\n$/, '').split('\n')
  return (
    <Card
      title={object.file}
      aside={
        <Link href={`/commits/${object.revision}`}>
          <Commit id={object.revision} />
        </Link>
      }
      flush
    >
      <ol className={styles['file']} tabIndex={0} aria-label={`Text of ${object.file}`} data-testid="object-text">
        {lines.map((content, at) => (
          <li
            key={at}
            id={`L${at + 1}`}
            ref={at + 1 === line ? own : undefined}
            className={classNames(at + 1 === line && styles['own'])}
          >
            <a href={`#L${at + 1}`} aria-label={`Line ${at + 1}`} tabIndex={-1}>
              {at + 1}
            </a>
            <code>{content === '' ? ' ' : content}</code>
          </li>
        ))}
      </ol>
    </Card>
  )
}
