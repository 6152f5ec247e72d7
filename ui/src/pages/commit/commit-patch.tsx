import type { ReactNode } from 'react'
import type { Reads } from '../../api/reads.ts'
import { Patch } from '../../components/diff.tsx'
import { Empty } from '../../components/states.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './commit.module.css'
import { filesOfPatch } from './patch-files.ts'

type Change = Reads['/api/v1/commits/{revision}']['answer']

/** What a commit changed, file by file; `file` shows one of them alone. */
export function CommitPatch({
  commit,
  file = null,
}: {
  readonly commit: Change
  readonly file?: string | null
}): ReactNode {
  if (commit.patch === null)
    return (
      <Empty title="Patches need git">
        Install the git binary where the controller runs; what changed shows here then.
      </Empty>
    )
  const files = filesOfPatch(commit.patch.text).filter(
    ({ path, from }) => file === null || path === file || path.endsWith(`/${file}`) || from === file,
  )
  if (files.length === 0) return <Empty title={file === null ? 'It changed no file' : `It did not change ${file}`} />
  return (
    <div className={styles['files']}>
      {files.map(({ path, from, change, added, removed, text }) => (
        <details key={path} className={styles['file']} open={files.length <= 12}>
          <summary data-testid={`patch-${path}`}>
            <code>{from === null ? path : `${from} → ${path}`}</code>
            {change === 'changed' ? null : <span className={styles['change']}>{change}</span>}
            <span className={styles['added']}>+{whole(added)}</span>
            <span className={styles['removed']}>−{whole(removed)}</span>
          </summary>
          <Patch text={text} label={`Patch of ${path}`} />
        </details>
      ))}
      {commit.patch.truncated ? (
        <p className={styles['more']}>It is longer than what is shown: git show {commit.revision.slice(0, 12)}</p>
      ) : null}
    </div>
  )
}
