import { fail } from '../../lib/error-catalogue.ts'

/** Fields of a message by number; a number may come again. */
export type Message = ReadonlyMap<number, readonly (Buffer | number)[]>

const MAGIC = Buffer.from('k8s\0')

/**
 * The object of a body of type `application/vnd.kubernetes.protobuf`, which kubectl sends where it knows the type of what it
 * asks: `k8s\0`, then a `runtime.Unknown` whose second field is the object. Throws SW_BAD_REQUEST.
 */
export function objectOf(body: Buffer): Message {
  if (!body.subarray(0, 4).equals(MAGIC)) throw malformed()
  const raw = readMessage(body.subarray(4)).get(2)?.at(-1)
  if (!Buffer.isBuffer(raw)) throw malformed()
  return readMessage(raw)
}

/** A message inside another; empty when it is not there. */
export function messageAt(message: Message, field: number): Message {
  const value = message.get(field)?.at(-1)
  return Buffer.isBuffer(value) ? readMessage(value) : new Map()
}

/** A text; '' when it is not there. */
export function textAt(message: Message, field: number): string {
  const value = message.get(field)?.at(-1)
  return Buffer.isBuffer(value) ? value.toString('utf8') : ''
}

function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 53; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw malformed()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed()
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw malformed()
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = varint()
    const [field, wire] = [Math.floor(key / 8), key % 8]
    const value =
      wire === 0 ? varint() : wire === 1 ? take(8) : wire === 2 ? take(varint()) : wire === 5 ? take(4) : null
    if (value === null || field === 0) throw malformed()
    fields.set(field, [...(fields.get(field) ?? []), value])
  }
  return fields
}

function malformed(): Error {
  return fail('SW_BAD_REQUEST', 'the body is not the protobuf of a Kubernetes object')
}
