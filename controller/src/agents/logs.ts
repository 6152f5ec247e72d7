import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../lib/error-catalogue.ts'
import { cutLog, readLastLines } from '../lib/programs/log-file.ts'
import { type InstanceRow, instanceById, lastInstanceOfAgent } from '../store/queries/instances.ts'
import { taskById } from '../store/queries/tasks.ts'
import type { Fleet, HostFleet } from './fleet.ts'
import { redactorFor } from './instance-record.ts'
import type { LogRequest, LogStream } from './log-request.ts'
import { isPodHost } from './pods/pod-host.ts'
import { remoteLog } from './remote-log.ts'
import { LineReader } from './runtimes/process/line-reader.ts'

const LONGEST_TEXT = 4 * 1024 * 1024
const FOLLOW_MS = 250

/**
 * The end of what an instance printed, at most 4 MiB, with the secrets it was given taken out. '' when it printed nothing,
 * or its log was removed. Throws SW_NOT_FOUND for an instance that never was.
 */
export async function readInstanceLog(
  fleet: Fleet,
  instanceId: string,
  request: { readonly stream: LogStream; readonly tail: number },
): Promise<string> {
  if ((await instanceById(fleet.context.store.engine, instanceId)) === null) throw noInstance(instanceId)
  const folder = fleet.workspaces.instanceFolder(instanceId)
  const redact = await redactorFor(folder, fleet.context.secrets)
  return redact(readLastLines(join(folder, request.stream), { lines: request.tail, maxBytes: LONGEST_TEXT }))
}

/** The same of a task's own log: what its command wrote to stderr. '' while nobody has the task. Throws SW_NOT_FOUND. */
export async function readTaskLog(fleet: Fleet, taskId: string, options: { readonly tail: number }): Promise<string> {
  const task = await taskById(fleet.context.store.engine, taskId)
  if (task === null) throw fail('SW_NOT_FOUND', `there is no task ${taskId}`)
  return task.instance_id === null
    ? ''
    : readInstanceLog(fleet, task.instance_id, { stream: 'err', tail: options.tail })
}

/**
 * The log of a task: what its command wrote to stderr; of a daemon's task, the daemon's own log. Nothing while nobody has
 * the task. Throws SW_NOT_FOUND.
 */
export async function taskLog(fleet: Fleet, taskId: string, request: LogRequest): Promise<AsyncIterable<string>> {
  const task = await taskById(fleet.context.store.engine, taskId)
  if (task === null) throw fail('SW_NOT_FOUND', `there is no task ${taskId}`)
  if (task.instance_id === null) return nothing()
  const instance = await instanceById(fleet.context.store.engine, task.instance_id)
  if (instance === null) throw noInstance(task.instance_id)
  return follow(fleet, instance, instance.mode === 'perTask' ? ['err'] : ['err', 'out'], request)
}

/** What an agent's process prints: one that lives, or the last one that did. Throws SW_NOT_FOUND when there never was one. */
export async function agentLog(
  fleet: Fleet,
  ref: { readonly namespace: string; readonly name: string },
  request: LogRequest,
): Promise<AsyncIterable<string>> {
  const instance = await lastInstanceOfAgent(fleet.context.store.engine, ref.namespace, ref.name)
  if (instance === null) throw fail('SW_NOT_FOUND', `agent ${ref.namespace}/${ref.name} has never been started`)
  return follow(fleet, instance, instance.mode === 'perTask' ? ['err'] : ['err', 'out'], request)
}

async function* nothing(): AsyncIterable<string> {}

function follow(
  fleet: Fleet,
  { id, host }: InstanceRow,
  streams: readonly LogStream[],
  request: LogRequest,
): AsyncIterable<string> {
  if (host !== fleet.context.localHost().name && !isPodHost(host))
    return remoteLog(fleet, { id, host }, streams, request)
  const ended = async () => (await instanceById(fleet.context.store.reader, id))?.ended_at !== null
  return followFiles(fleet, id, streams, { ...request, ended })
}

/** What an instance of this machine prints. Whole lines only, so that a secret is never cut in halves. */
export async function* followFiles(
  fleet: HostFleet,
  instanceId: string,
  streams: readonly LogStream[],
  request: LogRequest & { readonly ended: () => Promise<boolean> },
): AsyncIterable<string> {
  const folder = fleet.workspaces.instanceFolder(instanceId)
  const redact = await redactorFor(folder, fleet.context.secrets)
  const readers = streams.map((stream) => new LineReader(join(folder, stream), LONGEST_TEXT))
  const lines = request.tailLines ?? Number.MAX_SAFE_INTEGER
  for (const reader of readers) {
    const text = reader.readEnd(lines)
    if (text !== '') yield redact(text)
  }
  while (request.follow && !request.signal.aborted) {
    // Asked before reading: what was written before the end is still shown.
    const ended = await request.ended()
    for (const reader of readers) {
      for (let text = reader.readNew(ended); text !== ''; text = reader.readNew(ended)) yield redact(text)
    }
    if (ended) return
    await delay(FOLLOW_MS, undefined, { signal: request.signal }).catch((error: unknown) => {
      if (!request.signal.aborted) throw error
    })
  }
}

/** Keeps the logs of living processes within bounds; what a command prints is its result and never cut. */
export function cutLogs(fleet: HostFleet): void {
  const { maxLogBytes } = fleet.context.settings
  for (const { folder, mode } of fleet.processes.all()) {
    cutLog(join(folder, 'err'), maxLogBytes)
    if (mode === 'daemon') cutLog(join(folder, 'out'), maxLogBytes)
  }
}

function noInstance(id: string) {
  return fail('SW_NOT_FOUND', `there is no instance ${id}`)
}
