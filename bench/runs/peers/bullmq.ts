import { Queue, Worker } from 'bullmq'
import { serve } from '../serve.ts'
import { Chains, type Job } from './chain.ts'

/** A job a step; a job that has ended is removed. Redis writes every command to its log and syncs it. */

serve(async ({ redisPort }) => {
  if (redisPort === null) throw new Error('bullmq needs a Redis')
  const chains = new Chains()
  const connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null }
  const options = { removeOnComplete: true }
  const queue = new Queue<Job>('step', { connection })
  const worker = new Worker<Job>(
    'step',
    async ({ data }) => {
      const { output, next } = chains.work(data)
      if (next !== null) await queue.add('step', next, options)
      return output
    },
    { connection, concurrency: 20 },
  )
  worker.on('completed', ({ data }) => chains.ended(data))
  await worker.waitUntilReady()
  return {
    run: () => chains.run((job) => queue.add('step', job, options)),
    async verify() {
      const left = await queue.getJobCountByTypes('waiting', 'delayed', 'failed')
      if (left !== 0) throw new Error(`${left} jobs are left`)
    },
    async stop() {
      await worker.close()
      await queue.close()
    },
  }
})
