import { fail } from '../../../lib/error-catalogue.ts'
import type { PushCommand, PushedObjects } from '../../ports.ts'
import { parseCommit } from '../objects/commit-object.ts'
import { CatFile } from './cat-file.ts'
import type { GitContext } from './git-process.ts'
import { git } from './git-process.ts'

/** What a push brings that was not there: every new version of every file, also of commits in between. */
export function pushedObjects(context: GitContext, commands: readonly PushCommand[]): PushedObjects {
  const tips = commands.flatMap(({ to }) => (to === null ? [] : [to]))
  return {
    async commits(limit) {
      if (tips.length === 0) return []
      const { stdout } = await git(context, ['rev-list', `--max-count=${limit}`, ...tips, '--not', '--all', '--'])
      const oids = stdout
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '')
      const catFile = new CatFile(context)
      try {
        return await Promise.all(
          oids.map(async (oid) => {
            const object = await catFile.object(oid)
            if (object === null) throw fail('SW_GIT_FAILED', `commit ${oid} is missing`)
            return parseCommit(oid, object.bytes)
          }),
        )
      } finally {
        await catFile.close()
      }
    },
    async *files({ maxBytes }) {
      if (tips.length === 0) return
      const { stdout } = await git(context, ['rev-list', '--objects', ...tips, '--not', '--all', '--'])
      const paths = new Map<string, string>()
      for (const line of stdout.toString('utf8').split('\n')) {
        const blank = line.indexOf(' ')
        // A commit, and the root of a tree, come without a path.
        if (blank > 0 && blank + 1 < line.length) paths.set(line.slice(0, blank), line.slice(blank + 1))
      }
      const catFile = new CatFile(context)
      try {
        const infos = await catFile.info([...paths.keys()])
        const blobs = infos.flatMap((info) =>
          info !== null && info !== 'ambiguous' && info.type === 'blob' ? [info.oid] : [],
        )
        for await (const { oid, size, bytes } of catFile.blobs(blobs, maxBytes)) {
          yield { path: paths.get(oid)!, size, bytes }
        }
      } finally {
        await catFile.close()
      }
    },
  }
}
