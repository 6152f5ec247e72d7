import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/lib/digest.ts'
import { retryRun } from '../../src/runs/follow-up/retry-run.ts'
import { replayRun } from '../../src/runs/rebuild/replay.ts'
import { readEvents } from '../../src/store/log.ts'
import { getArtifact, pageArtifacts } from '../../src/store/queries/artifacts.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  untilEnded,
  valuesIn,
} from '../support/run-stack.ts'

const large = (letter: string) => ({ text: letter.repeat(50_000) })

describe('a value too large for an event', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const tools = () => functionTools({ give: { run: ({ with: given }) => large(String(given['letter'])) } })
  const give = (letter: string, more: object = {}) => ({
    id: letter,
    kind: 'action_task',
    action: 'give',
    with: { letter },
    ...more,
  })
  const kept = async (runId: string) => {
    const artifacts = await pageArtifacts(store.reader, { runId, kind: 'value', after: null, limit: 50 })
    return artifacts.map(({ sha256 }) => sha256)
  }

  it('is kept as an artifact that its event names, while steps beside it go on in their order', async () => {
    stack = startRunStack(store, tools())
    const plan = [
      ...['a', 'b', 'c'].map((letter) => give(letter, { needs: [] })),
      { id: 'sizes', kind: 'transform', needs: ['a', 'b', 'c'], expression: 'size(steps.a.output.text)' },
      { id: 'again', kind: 'transform', expression: 'steps.a.output' },
    ]
    const outputs = [{ name: 'last', value: '{{ steps.again.output }}' }]
    const runId = await stack.start(blueprintOf('beside', { plan, outputs } as never))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { last: large('a') } })
    const values = [...['a', 'b', 'c'].map(large), { last: large('a') }]
    expect(new Set(await kept(runId))).toEqual(new Set(values.map(digestOf)))
    const named = (await readEvents(store.reader, { runId, limit: 50 })).map(({ data }) => data['output_artifact'])
    for (const id of named) if (id !== undefined) expect(await getArtifact(store.reader, String(id))).not.toBeNull()
    expect(named.filter((id) => id !== undefined)).toHaveLength(4)
  })

  it('may come with the first move of its run', async () => {
    stack = startRunStack(store, tools())
    const inputs = [{ name: 'text', schema: { type: 'string' }, required: true }]
    const plan = [{ id: 'echo', kind: 'transform', expression: "{'text': inputs.text}" }]
    const runId = await stack.start(blueprintOf('first', { inputs, plan } as never), large('f'))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    const replay = await replayRun({ store, environmentOf, values: stack.values }, { runId, write: false }, caller)
    expect(replay.differences).toEqual([])
  })

  it('fails its step when the artifacts are full, though its effect took place', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'stateward-values-'))
    const [used] = await store.reader<{ bytes: string }[]>`SELECT bytes FROM artifact_usage`
    // Room for the first of them.
    const limits = { maxBytes: 250e6, maxTotalBytes: Number(used!.bytes) + 60_000 }
    stack = startRunStack(store, tools(), { values: valuesIn(store, dataDir, limits) })
    const plan = [give('x'), give('y'), { id: 'after', kind: 'transform', expression: '1' }]
    const runId = await stack.start(blueprintOf('full', { plan } as never))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'artifacts_full' } })
    expect(await statusesOf(store, runId)).toMatchObject({ y: 'failed', after: 'skipped' })
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }])
  })

  it('is taken over by a run that goes on from it', async () => {
    stack = startRunStack(store, tools())
    const runId = await stack.start(blueprintOf('go-on', { plan: [give('k'), give('l')] } as never))
    await untilEnded(store, runId)
    const deps = { store, environmentOf, nudge: (id: string) => stack.engine.nudge(id) }
    const child = (await retryRun(deps, { runId, from: 'l' }, caller)).runId
    await untilEnded(store, child)
    const before = await stepsOfRuns(store.reader, [child])
    await store.engine`DELETE FROM runs WHERE run_id = ${child}`
    await store.engine`DELETE FROM artifacts WHERE run_id = ${runId}`
    expect(
      await replayRun({ store, environmentOf, values: stack.values }, { runId: child, write: true }, caller),
    ).toMatchObject({ written: true })
    expect(await stepsOfRuns(store.reader, [child])).toEqual(before)
  })
})
