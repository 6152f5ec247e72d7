import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Plant } from './plant.ts'
import type { Random } from './random.ts'
import type { Order } from './workload.ts'

/** The people of a storm: they ask for runs and decide gates, again and again until they are answered. */

const PAUSE_MS = 100
const PATIENCE_MS = 120_000

/** Asks for a run until that is acknowledged. */
export async function place(plant: Plant, order: Order): Promise<void> {
  const { blueprint, tag, inputs } = order
  const values = { ...inputs, tag }
  const answer =
    order.by === 'event'
      ? await insist(plant, '/api/v1/events', { event_name: `storm.${blueprint}`, data: values }, tag)
      : await insist(plant, '/api/v1/runs', { blueprint_ref: blueprint, inputs: values }, tag)
  if (answer.status !== 201) throw new Error(`${tag} was refused: ${JSON.stringify(answer)}`)
}

/** The same request under the same key, until it is answered and no longer under way. */
async function insist(plant: Plant, path: string, body: object, key: string): Promise<Answer> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await plant.request('POST', path, body, key)
    const underWay = answer?.status === 409 && JSON.stringify(answer.body).includes('still under way')
    if (answer !== null && answer.status < 500 && answer.status !== 429 && !underWay) return answer
    if (performance.now() > end) throw new Error(`${path} is not answered: ${JSON.stringify(answer)}`)
    await delay(PAUSE_MS)
  }
}

interface OpenGate {
  readonly step_id: string
  readonly mode: string
}

/** How often people said what. */
export interface Decisions {
  approved: number
  rejected: number
  retried: number
  done: number
  given_up: number
  left: number
}

const VERDICTS = ['approved', 'approved', 'rejected'] as const
const ANSWERS = ['retried', 'retried', 'done', 'done', 'given_up'] as const

/** The event that a run waits for, once it does. */
async function sendSignals(plant: Plant, sent: Set<string>): Promise<void> {
  const waiting = await plant.read(
    (sql) => sql<{ tag: string }[]>`
    SELECT r.inputs ->> 'tag' AS tag FROM steps s JOIN runs r USING (run_id) WHERE s.path = 'signal' AND s.status = 'running'`,
  )
  for (const { tag } of waiting) {
    if (sent.has(tag)) continue
    sent.add(tag)
    await insist(plant, '/api/v1/events', { event_name: 'storm.go', data: { tag } }, `go-${tag}`)
  }
}

/** Decides the gates that come up until `stop` says so, some this way and some that; some are left waiting. */
export async function decideGates(plant: Plant, random: Random, stop: AbortSignal): Promise<Decisions> {
  const seen = new Set<string>()
  const sent = new Set<string>()
  const decisions: Decisions = { approved: 0, rejected: 0, retried: 0, done: 0, given_up: 0, left: 0 }
  while (!stop.aborted) {
    const gates = await plant.read(
      (sql) => sql<OpenGate[]>`
      SELECT step_id, mode FROM gates WHERE state = 'waiting' ORDER BY created_at, step_id`,
    )
    for (const gate of gates) {
      if (seen.has(gate.step_id)) continue
      seen.add(gate.step_id)
      if (random.chance(0.15)) {
        decisions.left += 1
        continue
      }
      const said = gate.mode === 'quarantine' ? random.pick(ANSWERS) : random.pick(VERDICTS)
      const verb = said === 'rejected' || said === 'given_up' ? 'reject' : 'approve'
      const input = said === 'retried' ? { answer: 'retry' } : said === 'done' ? { answer: 'done' } : undefined
      const answer = await insist(plant, `/api/v1/gates/${gate.step_id}/${verb}`, { input }, gate.step_id)
      // Another step of the run failed meanwhile, and the gate with it.
      if (answer.status === 409 && JSON.stringify(answer.body).includes('"cancelled"')) continue
      if (answer.status !== 200) throw new Error(`the gate ${gate.step_id} was not decided: ${JSON.stringify(answer)}`)
      decisions[said] += 1
    }
    await sendSignals(plant, sent)
    await delay(PAUSE_MS)
  }
  return decisions
}
