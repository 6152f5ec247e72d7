import { errorMessage, StatewardError } from '../../src/lib/errors.ts'
import { acquireDataLock } from '../../src/store/embedded/data-lock.ts'
import { startEmbeddedPostgres } from '../../src/store/embedded/embedded-postgres.ts'
import { quietLog } from './quiet-log.ts'

/**
 * A controller as far as its database goes, for tests that kill one: takes the lock of the data directory, starts the
 * server, prints one line of JSON, and waits. A line on stdin stops both; a signal stops only this process.
 */
const dataDir = process.argv[2] ?? ''
try {
  const lock = acquireDataLock(dataDir)
  const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog })
  process.stdin.once('data', async () => {
    await postgres.stop()
    lock.release()
    process.exit(0)
  })
  const { pid, port, adopted, urls } = postgres
  process.stdout.write(`${JSON.stringify({ pid, port, adopted, url: urls.url })}\n`)
} catch (error) {
  const ref = error instanceof StatewardError ? error.ref : null
  process.stdout.write(`${JSON.stringify({ ref, message: errorMessage(error) })}\n`)
  process.exitCode = 1
}
