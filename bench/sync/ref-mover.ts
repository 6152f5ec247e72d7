import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { BRANCH } from './state-repo.ts'

export interface RefMover {
  /** Moves the branch to a commit; answers with the time (`performance.now()`) just before git was told to. */
  move(commit: string): Promise<number>
  close(): void
}

/**
 * Moves the branch as a push would, with git itself and its lock file, but through one `git update-ref --stdin` process: the
 * time to start a process is no part of what is measured. The new value is locked and checked before the clock starts.
 */
export function startRefMover(gitDir: string): RefMover {
  const child = spawn('git', [`--git-dir=${gitDir}`, 'update-ref', '--stdin'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const expect = async (wanted: string) => {
    const { value } = await lines.next()
    if (value !== wanted) throw new Error(`git update-ref answered "${value}" instead of "${wanted}"`)
  }
  return {
    async move(commit) {
      child.stdin.write(`start\nupdate ${BRANCH} ${commit}\nprepare\n`)
      await expect('start: ok')
      await expect('prepare: ok')
      const startedMs = performance.now()
      child.stdin.write('commit\n')
      await expect('commit: ok')
      return startedMs
    },
    close: () => child.stdin.end(),
  }
}
