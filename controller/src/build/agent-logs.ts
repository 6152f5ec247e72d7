import { setTimeout as delay } from 'node:timers/promises'
import type { Fleet } from '../agents/fleet.ts'
import { readInstanceLog, readTaskLog } from '../agents/logs.ts'
import type { LogOptions } from '../api/ports.ts'
import { fail } from '../lib/error-catalogue.ts'
import { lastInstanceOfAgent } from '../store/queries/instances.ts'
import { taskById } from '../store/queries/tasks.ts'

const ALL_LINES = 100_000
const FOLLOW_MS = 500

/** What an agent's newest instance wrote to stderr and stdout. */
export async function agentLog(
  fleet: Fleet,
  ref: { readonly namespace: string; readonly name: string },
  options: LogOptions,
): Promise<AsyncIterable<string>> {
  const find = () => lastInstanceOfAgent(fleet.context.store.reader, ref.namespace, ref.name)
  const first = await find()
  if (first === null) throw fail('SW_NOT_FOUND', `agent ${ref.namespace}/${ref.name} has never been started`)
  return growing(options, async (tail) => {
    const instance = (await find()) ?? first
    const err = await readInstanceLog(fleet, instance.id, { stream: 'err', tail })
    const out = instance.mode === 'daemon' ? await readInstanceLog(fleet, instance.id, { stream: 'out', tail }) : ''
    return { text: out + err, ended: false }
  })
}

export async function taskLog(fleet: Fleet, taskId: string, options: LogOptions): Promise<AsyncIterable<string>> {
  await readTaskLog(fleet, taskId, { tail: 0 })
  return growing(options, async (tail) => {
    const task = await taskById(fleet.context.store.reader, taskId)
    const ended = task === null || !['queued', 'leased'].includes(task.status)
    return { text: await readTaskLog(fleet, taskId, { tail }), ended }
  })
}

/** The text, and with `follow` what is added to it, until it has ended. */
async function* growing(
  options: LogOptions,
  read: (tail: number) => Promise<{ readonly text: string; readonly ended: boolean }>,
): AsyncIterable<string> {
  const first = await read(options.tailLines ?? ALL_LINES)
  yield first.text
  if (!options.follow) return
  let known = (await read(ALL_LINES)).text
  for (let ended = first.ended; !ended && !options.signal.aborted; ) {
    await delay(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined)
    const next = await read(ALL_LINES)
    // A log that was cut, or that of a new instance, is shown from its beginning.
    const added = next.text.startsWith(known) ? next.text.slice(known.length) : next.text
    if (added !== '') yield added
    known = next.text
    ended = next.ended
  }
}
