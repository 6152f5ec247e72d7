import { StringDecoder } from 'node:string_decoder'
import { isObject } from '../lib/json.ts'
import { KubeError } from './kube-error.ts'

/** An object as far as lists and watches need to know it. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}

export interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp?: string
  /** When whoever asked for its deletion did; it goes when `finalizers` is empty. */
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: KubeObject
}

/** The events of a watch, in the order they come. An `ERROR` of the server is thrown as the KubeError it stands for. */
export async function* watchEvents(body: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.trim() !== '') yield eventOf(line)
  }
}

const TYPES = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']

function eventOf(line: string): WatchEvent {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch (error) {
    throw new KubeError({ status: 0 }, 'a line of the watch is not JSON', { cause: error })
  }
  const { type, object } = isObject(event) ? event : {}
  if (type === 'ERROR' && isObject(object)) {
    const { code, reason, message } = object
    throw new KubeError(
      { status: typeof code === 'number' ? code : 500, reason: String(reason ?? '') },
      `the watch ended: ${String(message ?? reason ?? 'no reason given')}`,
    )
  }
  if (!TYPES.includes(String(type)) || !isObject(object) || !isObject(object['metadata']))
    throw new KubeError({ status: 0 }, 'a line of the watch is no event')
  return event as WatchEvent
}
