import { ageOf } from '../kinds/printer-cell.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { HostToken } from './client/operations.ts'
import { textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/** `key=value` words as a map. */
export function readLabels(words: unknown): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const word of (words as readonly string[] | undefined) ?? []) {
    const match = /^([^=]+)=(.*)$/.exec(word)
    if (match === null) throw fail('SW_USAGE', `--label ${word}: it is key=value`)
    labels[match[1]!] = match[2]!
  }
  return labels
}

/** A number that is 0 or more. */
export function readCount(options: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = textOption(options, name)
  if (text === undefined) return undefined
  if (!/^[0-9]{1,6}$/.test(text)) throw fail('SW_USAGE', `--${name} ${text}: it is a number`)
  return Number(text)
}

export async function createToken({ client, options, terminal }: VerbCall): Promise<ExitCode> {
  const ttl = textOption(options, 'ttl')
  const uses = readCount(options, 'uses')
  const host = textOption(options, 'for')
  const body = {
    labels: readLabels(options['label']),
    ...(host === undefined ? {} : { host }),
    ...(uses === undefined ? {} : { uses: uses === 0 ? null : uses }),
    ...(ttl === undefined ? {} : { ttl_seconds: secondsOf(ttl) }),
  }
  const token = await (await client()).call('createHostToken', { body })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(token))
    return 0
  }
  const limits = token.uses_left === null ? 'any number of machines' : `${token.uses_left} machine(s)`
  await terminal.err(`a join token for ${limits} until ${token.expires_at}; it is not shown again:\n`)
  // The token alone on standard output, so that a script can take it.
  await terminal.out(`${token.token}\n`)
  return 0
}

export async function listTokens({ client, options, terminal }: VerbCall): Promise<ExitCode> {
  const { items } = await (await client()).call('listHostTokens', {})
  if (options['output'] === 'json') {
    await terminal.out(renderJson({ items }))
    return 0
  }
  const now = terminal.clock.now()
  const columns = ['Token', 'Host', 'Labels', 'Uses left', 'Made by', 'Age', 'State'].map((head) => ({ head }))
  const rows = items.map((token: HostToken) => [
    `${token.prefix}…`,
    token.host ?? 'any',
    Object.entries(token.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',') || '-',
    token.uses_left === null ? 'any' : String(token.uses_left),
    token.created_by,
    ageOf(token.created_at, now),
    stateOf(token, now),
  ])
  await terminal.out(items.length === 0 ? 'no join tokens\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

export async function revokeToken({ client, options, terminal }: VerbCall, token: string): Promise<ExitCode> {
  const revoked = await (await client()).call('revokeHostToken', { token: token.replace('…', '') })
  await terminal.out(options['output'] === 'json' ? renderJson(revoked) : `join token ${revoked.prefix}… is revoked\n`)
  return 0
}

function stateOf(token: HostToken, now: Date): string {
  if (token.revoked_at !== null) return 'revoked'
  if (token.uses_left === 0) return 'used'
  return new Date(token.expires_at) <= now ? 'expired' : `until ${token.expires_at}`
}

function secondsOf(text: string): number {
  try {
    return Math.ceil(parseDuration(text) / 1000)
  } catch (cause) {
    throw fail('SW_USAGE', `--ttl: ${(cause as Error).message}`, { cause })
  }
}
