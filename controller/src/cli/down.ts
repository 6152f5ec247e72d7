import { hostname } from 'node:os'
import { dataFolderUsers } from '../store/embedded/data-lock.ts'
import { stopEmbeddedPostgres } from '../store/embedded/embedded-postgres.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description:
    'Stops what runs on a data folder: every process of the server, asked to end as with Ctrl-C, and the database that a killed server left behind. Agents that were left stay for the next start.',
  examples: [['stateward down'], ['stateward down --data /srv/stateward', 'another data folder']],
  settings: ['data'],
  async run({ config, terminal }) {
    const { data } = config().config
    const users = dataFolderUsers(data).filter(({ host }) => host === hostname())
    const runs = (pid: number) => dataFolderUsers(data).some((user) => user.pid === pid)
    for (const { pid } of users) process.kill(pid, 'SIGTERM')
    for (const { pid } of users) {
      for (let waited = 0; runs(pid); waited += POLL_MS) {
        if (waited > WAIT_MS) {
          await terminal.err(
            `error: process ${pid} does not end\n  remedy: see its log; kill -9 ${pid} as the last resort, nothing recorded is lost\n`,
          )
          return 1
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
      await terminal.out(`stopped the server (pid ${pid})\n`)
    }
    const stopped = await stopEmbeddedPostgres({ dataDir: data, log: createLogger({ level: 'warn', format: 'auto' }) })
    if (stopped) await terminal.out('stopped the database server\n')
    else if (users.length === 0) await terminal.out(`nothing runs on ${data}\n`)
    return 0
  },
}

const POLL_MS = 100
const WAIT_MS = 20_000
