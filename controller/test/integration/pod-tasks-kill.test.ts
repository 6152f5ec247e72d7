import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readIfThere } from '../../src/lib/error-code.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Sql } from '../../src/store/database.ts'
import { insertTask, taskById } from '../../src/store/queries/tasks.ts'
import { until } from '../support/agent-fleet.ts'
import { connectAsOwner, createTestDatabase, type TestDatabase } from '../support/database.ts'
import { FakeCluster } from '../support/kube-api/fake-kubelet.ts'
import type { Asked } from '../support/kube-api/kube-api-server.ts'
import { refuse } from '../support/kube-api/refusal.ts'
import type { PodsProcessConfig } from '../support/pods-process.ts'

/** `kill -9` of the controller at each point of the life of a task's pod; programs of pods are processes here. */

const NAMESPACE = 'robots'

/** Which request of the controller is its last, and whether the cluster still does it. */
interface Point {
  readonly name: string
  readonly is: (asked: Asked) => boolean
  readonly isDone: boolean
}

const posts =
  (plural: string) =>
  ({ method, path, query }: Asked) =>
    method === 'POST' && path.endsWith(`/${plural}`) && query.get('dryRun') === null
const readsLog =
  (container: string) =>
  ({ path, query }: Asked) =>
    path.endsWith('/log') && query.get('container') === container

const POINTS: readonly Point[] = [
  { name: 'the task is claimed, and nothing is made', is: posts('pods'), isDone: false },
  { name: 'the pod is made, and nobody was told', is: posts('pods'), isDone: true },
  { name: 'its Secret is not made', is: posts('secrets'), isDone: false },
  { name: 'its Secret is made, and nobody was told', is: posts('secrets'), isDone: true },
  { name: 'it runs', is: readsLog('agent'), isDone: true },
  { name: 'it has ended, and its result is not read', is: readsLog('result'), isDone: false },
  { name: 'its end is recorded, and it is not deleted', is: ({ method }) => method === 'DELETE', isDone: false },
]

let cluster: FakeCluster
let database: TestDatabase
let sql: Sql
let folder: string
let programs: string
const children: ChildProcess[] = []

beforeAll(async () => {
  cluster = await new FakeCluster().start()
  programs = cluster.runPrograms()
  database = await createTestDatabase()
  sql = connectAsOwner(database)
  folder = mkdtempSync(join(tmpdir(), 'stateward-pods-kill-'))
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, cluster.server.kubeconfig())
  const script = 'read -r task; echo "$task" >>../../effects; sleep 0.2; echo done'
  const config: PodsProcessConfig = {
    ...{ urls: database.urls, dataDir: folder, kubeconfig, namespace: NAMESPACE },
    command: ['sh', '-c', script],
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await cluster.stop()
  await sql.end()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

function start(): ChildProcess {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../support/pods-process.ts'), join(folder, 'config.json')],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  children.push(child)
  return child
}

async function enqueue(prompt: string): Promise<string> {
  const task_id = uuidv7()
  await insertTask(sql, {
    ...{ task_id, namespace: 'default', agent: 'sre', run_id: null, step_id: null, path: null, prompt, inputs: {} },
    ...{ output_schema: null, deadline: null, keep_workspace: false, correlation_id: 'c', created_at: new Date() },
  })
  return task_id
}

const timesDone = (prompt: string) =>
  (readIfThere(join(programs, 'effects')) ?? '').split('\n').filter((line) => line.includes(`"${prompt}"`)).length

it('loses no task and does none twice, wherever the controller is killed', async () => {
  let child = start()
  for (const [i, point] of POINTS.entries()) {
    const prompt = `task ${i}`
    let isKilled = false
    cluster.server.disturb = (asked) => {
      if (isKilled || !point.is(asked)) return null
      isKilled = true
      child.kill('SIGKILL')
      return point.isDone ? null : refuse(500, 'InternalError', 'nobody hears this')
    }
    const taskId = await enqueue(prompt)
    await until(`${point.name}: the kill`, () => isKilled)
    child = start()
    const task = await until(
      `${point.name}: the end of the task`,
      async () => {
        const found = await taskById(sql, taskId)
        return (found?.status === 'completed' || found?.status === 'failed') && found
      },
      30_000,
    )
    expect(task, point.name).toMatchObject({ status: 'completed', output: { text: 'done' } })
    expect(timesDone(prompt), point.name).toBe(1)
    await until(`${point.name}: its pods to go`, () => cluster.pods(NAMESPACE).length === 0)
  }
  expect(cluster.secrets(NAMESPACE)).toEqual([])
}, 120_000)
