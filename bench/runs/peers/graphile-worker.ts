import { Logger, run, runMigrations } from 'graphile-worker'
import { serve } from '../serve.ts'
import { Chains, type Job } from './chain.ts'
import { countRows } from './count-rows.ts'

/** A job a step; a job that has ended is deleted. Its local queue is on, which is the faster way. */

serve(async ({ databaseUrl }) => {
  const chains = new Chains()
  const quiet = new Logger(() => () => {})
  await runMigrations({ connectionString: databaseUrl, logger: quiet })
  const runner = await run({
    connectionString: databaseUrl,
    logger: quiet,
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: 20,
        maxPoolSize: 10,
        completeJobBatchDelay: 0,
        localQueue: { size: 21 },
      },
    },
    taskList: {
      async step(payload, helpers) {
        const { next } = chains.work(payload as Job)
        if (next !== null) await helpers.addJob('step', next)
      },
    },
  })
  runner.events.on('job:complete', ({ job }) => chains.ended(job.payload as Job))
  return {
    run: () => chains.run((job) => runner.addJob('step', job)),
    verify: () => countRows(databaseUrl, 'SELECT count(*) FROM graphile_worker._private_jobs', 0),
    stop: () => runner.stop(),
  }
})
