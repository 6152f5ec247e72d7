import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { ApiKey } from './client/operations.ts'
import { collect } from './json-argument.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<create|list|revoke> [key]',
  description:
    'Makes, lists and revokes API keys. A key is shown once, when it is made; only its digest is kept.\n' +
    'A key is sent as `Authorization: Bearer …` or `X-API-Key: …`; for the command line: STATEWARD_TOKEN.',
  examples: [
    ['stateward keys create ci --role operator'],
    ['stateward keys create watch --role viewer --expires 30d'],
    [
      'stateward keys create starter --role operator --verb runs.start --verb read',
      'only these of what an operator may do',
    ],
    ['stateward keys list'],
    ['stateward keys revoke ci'],
  ],
  define: (command) =>
    void command
      .option('--role <role>', 'create: what it may do: viewer, operator, admin, governor …; may be repeated', collect)
      .option('--verb <verb>', 'create: only this of what its roles may do; may be repeated', collect)
      .option('--expires <duration>', 'create: how long it is good for; default: until it is revoked')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word, name] = call.args
    if (word === 'list' && name === undefined) return list(call)
    if (word === 'create' && name !== undefined) return create(call, name)
    if (word === 'revoke' && name !== undefined) return revoke(call, name)
    throw fail('SW_USAGE', 'it is: stateward keys create <name> --role <role>, list, or revoke <name>')
  },
}

async function create(call: VerbCall, name: string): Promise<ExitCode> {
  const { options, terminal } = call
  const roles = options['role'] as readonly string[] | undefined
  if (roles === undefined) throw fail('SW_USAGE', 'say what the key may do: --role viewer, operator, admin …')
  const verbs = options['verb'] as readonly string[] | undefined
  const expires = textOption(options, 'expires')
  const client = await call.client()
  const key = await client.call('createKey', {
    body: {
      name,
      roles,
      ...(verbs === undefined ? {} : { verbs }),
      ...(expires === undefined ? {} : { expires_at: until(expires, terminal.clock.now()) }),
    },
  })
  if (options['output'] === 'json') await terminal.out(renderJson(key))
  else {
    // The key alone on standard output, so that a script can take it.
    await terminal.err(`key ${key.name} (${key.roles.join(', ')}); it is not shown again:\n`)
    await terminal.out(`${key.token}\n`)
  }
  return 0
}

async function list(call: VerbCall): Promise<ExitCode> {
  const client = await call.client()
  const items: ApiKey[] = []
  let cursor: string | null = null
  do {
    const page: OutputOf<'listKeys'> = await client.call('listKeys', { limit: 100, cursor })
    items.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  if (call.options['output'] === 'json') await call.terminal.out(renderJson({ items }))
  else await call.terminal.out(items.length === 0 ? 'no keys\n' : tableOf(call, items))
  return 0
}

function tableOf(call: VerbCall, items: readonly ApiKey[]): string {
  const now = call.terminal.clock.now()
  const columns = ['Name', 'Key', 'Roles', 'Only', 'Made by', 'Age', 'Last used', 'State'].map((head) => ({ head }))
  const rows = items.map((key) => [
    key.name,
    `${key.prefix}…`,
    key.roles.join(','),
    key.verbs?.join(',') ?? '-',
    key.created_by,
    ageOf(key.created_at, now),
    key.last_used_at === null ? 'never' : ageOf(key.last_used_at, now),
    stateOf(key, now),
  ])
  return renderTable(columns, rows, { width: call.terminal.columns })
}

function stateOf(key: ApiKey, now: Date): string {
  if (key.revoked_at !== null) return 'revoked'
  if (key.expires_at === null) return 'live'
  return new Date(key.expires_at) <= now ? 'expired' : `until ${key.expires_at}`
}

async function revoke(call: VerbCall, name: string): Promise<ExitCode> {
  const client = await call.client()
  const key = await client.call('revokeKey', { key: name })
  await call.terminal.out(call.options['output'] === 'json' ? renderJson(key) : `key ${key.name} is revoked\n`)
  return 0
}

function until(text: string, now: Date): string {
  try {
    return new Date(now.getTime() + parseDuration(text)).toISOString()
  } catch (cause) {
    throw fail('SW_USAGE', `--expires: ${(cause as Error).message}`, { cause })
  }
}
