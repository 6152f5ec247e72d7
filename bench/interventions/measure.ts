import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { adminCredentialPath } from '../../controller/src/api/auth/admin-credential.ts'

/** Seconds of each round. */
export interface Intervened {
  /** From the request to its answer. */
  readonly answered: readonly number[]
  /** From the request until the agent, which waits for tasks, has heard of it. */
  readonly told: readonly number[]
  /** From asking to resume it until the agent has the task that waited. */
  readonly resumed: readonly number[]
  /** Tasks that the agent got after the answer. */
  readonly handedOut: number
}

/** What the agent's process leaves behind: who it is. */
const IDENTITY = 'identity'

export function stateFiles(data: string): Readonly<Record<string, string>> {
  const agent = {
    apiVersion: 'stateward.dev/v1alpha1',
    kind: 'Agent',
    metadata: { name: 'waiting' },
    spec: {
      heartbeat: { interval: '60s', timeout: '1h' },
      runtime: {
        process: {
          command: ['sh', '-c', 'env > "$OUT.part"; mv "$OUT.part" "$OUT"; exec sleep 100000'],
          env: [{ name: 'OUT', value: join(data, IDENTITY) }],
        },
      },
    },
  }
  const blueprint = {
    apiVersion: 'stateward.dev/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'ask' },
    spec: { plan: [{ id: 'answer', kind: 'agent_task', agent: 'waiting', prompt: 'Well?' }] },
  }
  return { 'agent.yaml': JSON.stringify(agent), 'blueprint.yaml': JSON.stringify(blueprint) }
}

interface Pickup {
  readonly interventions: readonly { readonly id: string; readonly action: string }[]
  readonly tasks: readonly { readonly task_id: string; readonly attempt: number }[]
}

/** Pauses and resumes one agent, round after round; plays the agent itself, with the token of its process. */
export async function intervening(url: string, data: string, rounds: number): Promise<Intervened> {
  const admin = readFileSync(adminCredentialPath(data), 'utf8').trim()
  const own = await identity(join(data, IDENTITY))
  const send = async (token: string, method: string, path: string, body: object): Promise<Pickup | null> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : (JSON.parse(text) as Pickup)
  }
  const pickup = (seconds: number) =>
    send(own.token, 'POST', '/api/v1/agents/waiting/pickup', {
      instance_id: own.instance,
      max: 100,
      wait_seconds: seconds,
    })
  const answer = async (found: Pickup | null): Promise<void> => {
    for (const { id } of found?.interventions ?? [])
      await send(own.token, 'POST', `/api/v1/interventions/${id}/ack`, { state: 'applied' })
  }
  const intervene = (verb: string) => send(admin, 'POST', `/api/v1/agents/waiting/${verb}`, { reason: 'measured' })

  await send(own.token, 'POST', '/api/v1/agents/register', { instance_id: own.instance, protocol: 1 })
  const result = { answered: [] as number[], told: [] as number[], resumed: [] as number[], handedOut: 0 }
  for (let round = 0; round < rounds; round++) {
    const waiting = pickup(30).then((found) => ({ found, at: performance.now() }))
    await delay(20)
    const asked = performance.now()
    await intervene('pause')
    result.answered.push((performance.now() - asked) / 1000)
    const heard = await waiting
    result.told.push((heard.at - asked) / 1000)
    await answer(heard.found)
    await send(admin, 'POST', '/api/v1/runs', { blueprint_ref: 'ask' })
    await delay(50)
    result.handedOut += (await pickup(0))?.tasks.length ?? 0
    const again = pickup(30)
    await delay(20)
    const resumedAt = performance.now()
    await intervene('resume')
    let found = await again
    for (; (found?.tasks.length ?? 0) === 0; found = await pickup(30)) await answer(found)
    result.resumed.push((performance.now() - resumedAt) / 1000)
    await answer(found)
    for (const { task_id, attempt } of found!.tasks)
      await send(own.token, 'PATCH', `/api/v1/tasks/${task_id}`, { attempt, status: 'completed', output: {} })
  }
  return result
}

/** Of the agent's process, once it runs. */
async function identity(file: string): Promise<{ readonly token: string; readonly instance: string }> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => null)
    const read = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text ?? '')?.[1]
    const [token, instance] = [read('STATEWARD_TOKEN'), read('STATEWARD_INSTANCE')]
    if (token !== undefined && instance !== undefined) return { token, instance }
    await delay(50)
  }
}
