import { PgBoss } from 'pg-boss'
import { STEPS, serve } from '../serve.ts'
import { Chains, type Job } from './chain.ts'
import { countRows } from './count-rows.ts'

/**
 * A job a step. Four workers with batches of five, woken by notifications and fetching on while batches are full: the
 * fastest of its settings. A run counts as ended when the handler of its last job has, before that is stored.
 */

serve(async ({ databaseUrl }) => {
  const chains = new Chains()
  const boss = new PgBoss({ connectionString: databaseUrl, max: 10, useListenNotify: true })
  boss.on('error', (error: unknown) => process.stderr.write(`${String(error)}\n`))
  await boss.start()
  await boss.createQueue('step', { notify: true })
  const options = { batchSize: 5, localConcurrency: 4, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  await boss.work<Job>('step', options, async (jobs) => {
    const next = jobs.map(({ data }) => chains.work(data).next).filter((job) => job !== null)
    if (next.length > 0)
      await boss.insert(
        'step',
        next.map((data) => ({ data })),
      )
    for (const { data } of jobs) chains.ended(data)
  })
  return {
    run: () => chains.run((job) => boss.send('step', job)),
    verify: (runs) => countRows(databaseUrl, `SELECT count(*) FROM pgboss.job WHERE state = 'completed'`, runs * STEPS),
    stop: () => boss.stop({ graceful: true, timeout: 2000 }),
  }
})
