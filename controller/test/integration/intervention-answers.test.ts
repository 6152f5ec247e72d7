import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerIntervention } from '../../src/interventions/acknowledge.ts'
import { tellAgent } from '../../src/interventions/delivery.ts'
import { issueIntervention } from '../../src/interventions/issue.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { endInstance, insertInstance } from '../../src/store/queries/instances.ts'
import { interventionById } from '../../src/store/queries/interventions.ts'
import { createTestStore, type TestStore } from '../support/database.ts'

const CALLER = { actor: 'user:ada', correlationId: 'c' }

describe('the answers of instances', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  const anAgent = (name: string) => ({ uid: uuidv7(), namespace: 'default', name, spec: {}, constraints: {} })
  async function instanceOf(agent: ReturnType<typeof anAgent>, ordinal: number) {
    const id = uuidv7()
    const row = {
      id,
      agentUid: agent.uid,
      namespace: agent.namespace,
      agent: agent.name,
      ordinal,
      host: 'local',
      mode: 'daemon' as const,
      slots: 1,
      launchDigest: 'd',
      tokenSha256: id,
      bootId: 'b',
      restartCount: 0,
      crashCount: 0,
      createdAt: store.clock.now(),
    }
    expect(await insertInstance(store.engine, row, 100)).toBe('inserted')
    return { instanceId: id, agentUid: agent.uid, name: `agent:default/${agent.name}` }
  }
  const pause = (agent: ReturnType<typeof anAgent>) =>
    issueIntervention(store, agent, { action: 'pause', params: {}, reason: 'r', expiresAt: null, merge: false }, CALLER)
  const told = async (instance: { instanceId: string; agentUid: string }) => {
    const { all, fresh } = await tellAgent(store, {
      agent: { uid: instance.agentUid },
      instanceId: instance.instanceId,
    })
    return { ids: all.map(({ id }) => id), fresh }
  }

  it('tell each instance once what is new, and all of it until it is answered', async () => {
    const agent = anAgent('told')
    const [one, two] = [await instanceOf(agent, 0), await instanceOf(agent, 1)]
    const { intervention_id: id } = await pause(agent)
    expect(await told(one)).toEqual({ ids: [id], fresh: 1 })
    expect(await told(one)).toEqual({ ids: [id], fresh: 0 })
    expect(await told(two)).toEqual({ ids: [id], fresh: 1 })
    await answerIntervention(store, one, { interventionId: id, state: 'applied', detail: null })
    expect(await told(one)).toEqual({ ids: [], fresh: 0 })
    // An instance that begins while it is in force hears it, too.
    expect(await told(await instanceOf(agent, 2))).toEqual({ ids: [id], fresh: 1 })
  })

  it('make it acknowledged with the first, and applied with the last', async () => {
    const agent = anAgent('both')
    const [one, two] = [await instanceOf(agent, 0), await instanceOf(agent, 1)]
    const { intervention_id: interventionId } = await pause(agent)
    const first = await answerIntervention(store, one, { interventionId, state: 'applied', detail: null })
    expect(first).toMatchObject({ state: 'acknowledged', acknowledged_by: one.name, settled_at: null })
    const last = await answerIntervention(store, two, { interventionId, state: 'applied', detail: 'done' })
    expect(last).toMatchObject({ state: 'applied', detail: 'done' })
    const again = await answerIntervention(store, two, { interventionId, state: 'applied', detail: null })
    expect(again.state).toBe('applied')
    await expect(
      answerIntervention(store, one, { interventionId, state: 'rejected', detail: null }),
    ).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
  })

  it('leave it in force when one refuses', async () => {
    const agent = anAgent('refuses')
    const one = await instanceOf(agent, 0)
    const { intervention_id: interventionId } = await pause(agent)
    const row = await answerIntervention(store, one, { interventionId, state: 'rejected', detail: 'no' })
    expect(row).toMatchObject({ state: 'rejected', in_force: true, detail: 'no' })
  })

  it('are of no other agent, and of nothing that is over', async () => {
    const [agent, other] = [anAgent('mine'), anAgent('other')]
    const [one, stranger] = [await instanceOf(agent, 0), await instanceOf(other, 0)]
    const { intervention_id: interventionId } = await pause(agent)
    const answer = { interventionId, state: 'applied', detail: null } as const
    await expect(answerIntervention(store, stranger, answer)).rejects.toMatchObject({ ref: 'SW_NOT_FOUND' })
    await pause(agent)
    await expect(answerIntervention(store, one, answer)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    expect(await interventionById(store.engine, interventionId)).toMatchObject({
      state: 'expired',
      in_force: false,
      ended_why: 'replaced',
    })
  })

  it('are not waited for where nobody lives', async () => {
    const agent = anAgent('empty')
    const gone = await instanceOf(agent, 0)
    await endInstance(store.engine, gone.instanceId, { endedAt: store.clock.now(), exitCode: 0, reason: 'exited' })
    const { intervention_id: id } = await pause(agent)
    expect(await interventionById(store.engine, id)).toMatchObject({
      state: 'applied',
      acknowledged_by: 'system:controller',
      in_force: true,
    })
  })
})
