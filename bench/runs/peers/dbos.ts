import { DBOS } from '@dbos-inc/dbos-sdk'
import { STEPS, serve } from '../serve.ts'
import { countRows } from './count-rows.ts'

/** Workflows are started directly, not through its queue, which polls: the faster way of the two. One row a step, none for events. */

serve(async ({ databaseUrl }) => {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: 10,
    logLevel: 'error',
    runAdminServer: false,
  })
  const workflow = DBOS.registerWorkflow(
    async () => {
      for (let k = 0; k < STEPS; k++) await DBOS.runStep(async () => ({ ok: true, k, msg: 'done' }), { name: `s${k}` })
    },
    { name: 'bench' },
  )
  await DBOS.launch()
  return {
    async run() {
      const handle = await DBOS.startWorkflow(workflow)()
      await handle.getResult()
    },
    async verify(runs) {
      await countRows(databaseUrl, `SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'`, runs)
      await countRows(databaseUrl, 'SELECT count(*) FROM dbos.operation_outputs', runs * STEPS)
    },
    stop: () => DBOS.shutdown(),
  }
})
