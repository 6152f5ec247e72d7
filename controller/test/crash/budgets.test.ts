import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { CrashPoint } from '../../src/runs/crash-points.ts'
import { appendEvents } from '../../src/store/log.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { declareBudget, keeperOf, standing, usd } from '../support/budget-stack.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import type { RunProcessConfig } from '../support/run-process.ts'
import { blueprintOf, until, untilEnded } from '../support/run-stack.ts'

/** Two calls that cost five cents each, the second one in a loop. */
const payingBlueprint = (name: string) =>
  blueprintOf(name, {
    triggers: [{ event: `test.paid.${name}` }],
    plan: [
      { id: 'a', kind: 'action_task', action: 'effect.paid', with: {} },
      {
        id: 'l',
        kind: 'foreach',
        items: '[1]',
        as: 'n',
        plan: [{ id: 'b', kind: 'action_task', action: 'effect.paid', with: {} }],
      },
    ],
  })

describe('a process that is killed while it spends', () => {
  let store: TestStore
  let later: Store
  let folder: string
  const children: ChildProcess[] = []
  beforeAll(async () => {
    store = await createTestStore({ host: 'observer' })
    // Long after the process has died: whoever keeps the budgets does not wait for it any more.
    const clock = { now: () => new Date(Date.now() + 60_000), monotonicMs: () => performance.now() }
    later = await openTestStore(store.database, { host: 'observer', clock })
    folder = mkdtempSync(join(tmpdir(), 'stateward-money-'))
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await later.end()
    await store.end()
    rmSync(folder, { recursive: true, force: true })
  })

  const spawnProcess = (
    blueprint: ReturnType<typeof payingBlueprint>,
    effectsFile: string,
    crash: RunProcessConfig['crash'],
  ): Promise<NodeJS.Signals | null> => {
    const config: RunProcessConfig = {
      urls: store.database.urls,
      dataDir: folder,
      effectsFile,
      blueprints: [blueprint],
      crash,
    }
    const file = join(folder, `${uuidv7()}.json`)
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/run-process.ts'), file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    children.push(child)
    return new Promise((resolve) => child.on('exit', (_code, signal) => resolve(signal)))
  }

  const points: readonly (readonly [CrashPoint, number])[] = [
    ['budget.reserved', 1],
    ['budget.reserved', 2],
    ['action.before_effect', 1],
    ['action.after_effect', 2],
    ['budget.unsettled', 1],
    ['budget.unsettled', 2],
    ['journal.after_commit', 2],
    ['journal.after_commit', 3],
  ]
  it.each(points)('at %s (pass %i) loses no money and pays nothing twice', async (point, passes) => {
    const name = `${point}-${passes}`.replaceAll(/[^a-z0-9]/g, '-')
    const account = await declareBudget(store, { name, scope: { kind: 'Blueprint', name }, max: '100' })
    const blueprint = payingBlueprint(name)
    const effectsFile = join(folder, `${point}-${passes}`)
    const id = uuidv7()
    await transact(store, (tx) =>
      appendEvents(tx, store, [
        {
          event_id: id,
          event_name: `test.paid.${name}`,
          occurred_at: new Date(),
          env_id: 'default',
          actor: 'user:ada',
          correlation_id: id,
          data: {},
        },
      ]),
    )
    expect(await spawnProcess(blueprint, effectsFile, { point, passes })).toBe('SIGKILL')
    const successor = spawnProcess(blueprint, effectsFile, null)
    const [run] = await until(
      () => store.reader<{ run_id: string }[]>`SELECT run_id FROM runs WHERE trigger_event = ${id}`,
      (seen) => seen.length === 1,
      'the run',
    )
    expect(await untilEnded(store, run!.run_id)).toMatchObject({ status: 'completed' })
    const keeper = keeperOf(later)
    keeper.start()
    try {
      await until(
        () => standing(store, account),
        (seen) => seen!.reserved === 0n && seen!.used === usd('0.1'),
        'everything to be settled',
      )
    } finally {
      await keeper.stop()
    }
    const entries =
      await store.reader`SELECT step, amount, usage FROM ledger_entries WHERE run_id = ${run!.run_id} ORDER BY step`
    expect(entries.map(({ step, usage }) => `${step} ${usage}`)).toEqual(['a declared', 'l[0].b declared'])
    expect(
      existsSync(effectsFile) && readFileSync(effectsFile, 'utf8').trim().split('\n').length,
    ).toBeGreaterThanOrEqual(2)
    children.at(-1)!.kill('SIGKILL')
    await successor
  })
})
