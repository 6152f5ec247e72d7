import type { Commit, Person } from '../../ports.ts'

/**
 * Commit objects as bytes. Both adapters read and write them through this file, so the same request makes the same oid.
 */

/** Reads a commit object; throws on anything git itself could not have written. */
export function parseCommit(oid: string, bytes: Uint8Array): Commit {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = buffer.indexOf('\n\n')
  const headerBytes = end < 0 ? buffer : buffer.subarray(0, end)
  const messageBytes = end < 0 ? Buffer.alloc(0) : buffer.subarray(end + 2)
  const encoding = /^encoding (.+)$/m.exec(headerBytes.toString('latin1'))?.[1] ?? 'utf-8'
  const lines = decode(headerBytes, encoding).split('\n')
  const tree = /^tree ([0-9a-f]+)$/.exec(lines[0] ?? '')?.[1]
  if (tree === undefined) throw new Error(`commit ${oid} has no tree line`)
  const parents: string[] = []
  let index = 1
  for (; lines[index]?.startsWith('parent '); index++) parents.push(lines[index]!.slice(7))
  const rest = lines.slice(index)
  return {
    oid,
    tree,
    parents,
    author: parsePerson(rest.find((line) => line.startsWith('author ')) ?? ''),
    committer: parsePerson(rest.find((line) => line.startsWith('committer ')) ?? ''),
    message: decode(messageBytes, encoding),
  }
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes)
  } catch {
    // An encoding label nobody knows: the text is for people, so UTF-8 with replacement characters is better than a refusal.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  }
}

/** `author A U Thor <a@b> 1700000000 +0100`; a time nobody can read counts as 1970. */
function parsePerson(line: string): Person {
  const match = /^\w+ (.*?) ?<([^>]*)> ?(-?\d+)?/.exec(line)
  const time = new Date(Number(match?.[3] ?? 0) * 1000)
  return {
    name: match?.[1] ?? '',
    email: match?.[2] ?? '',
    time: Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString(),
  }
}

interface Identity {
  readonly name: string
  readonly email: string
}

/** The value of an `author` or `committer` line, in UTC; characters that would end the line or the address are dropped. */
export function personLine(person: Identity, time: Date): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would break the commit's header
  const clean = (text: string) => text.replace(/[<>\x00-\x1f\x7f]/g, '').trim()
  const name = clean(person.name)
  return `${name === '' ? '' : `${name} `}<${clean(person.email)}> ${Math.floor(time.getTime() / 1000)} +0000`
}

/** Without NUL (git cuts a message there), with exactly one line end behind it. */
export function commitMessage(message: string): string {
  return `${message.replaceAll('\0', '').trimEnd()}\n`
}

export function serializeCommit(commit: {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Identity
  readonly committer: Identity
  readonly time: Date
  readonly message: string
}): Uint8Array {
  const lines = [`tree ${commit.tree}`, ...commit.parents.map((parent) => `parent ${parent}`)]
  lines.push(
    `author ${personLine(commit.author, commit.time)}`,
    `committer ${personLine(commit.committer, commit.time)}`,
  )
  return Buffer.from(`${lines.join('\n')}\n\n${commitMessage(commit.message)}`)
}
