import type { Route } from '../../http/route.ts'
import { cancelJob, retryJob } from './change-job.ts'
import { listJobs, readJob } from './read-jobs.ts'

/** Whatever is to be done by whoever is free: runs and tasks, one list. */
export const JOB_ROUTES: readonly Route[] = [listJobs, readJob, cancelJob, retryJob]
