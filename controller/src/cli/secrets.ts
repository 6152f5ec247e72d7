import { Option } from 'commander'
import { dataFolder } from '../build/data-folder.ts'
import { ageFileOf } from '../build/secrets.ts'
import { fail } from '../lib/error-catalogue.ts'
import { ownIdentity, readAgeFile, writeAgeFile } from '../secrets/age-file-store.ts'
import type { OutputOf } from './client/operation-request.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000
const PATH = /^[a-z0-9][a-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*){1,6}$/

export const verb: Verb = {
  arguments: '[check|list|set|remove] [secret]',
  description:
    'Which secrets the state repo names and where each is. Values are never shown.\n' +
    '`set` reads a value from standard input into the encrypted file of this data folder; a SecretStore with encryptedFile reads it.\n\n' +
    'Exit code of check: 0 when every secret that is named can be used, 1 otherwise.',
  examples: [
    ['stateward secrets check'],
    ['stateward secrets list', 'what each store has'],
    ['printf %s "$TOKEN" | stateward secrets set github/token'],
    ['stateward secrets remove team/ops/pager'],
  ],
  settings: ['data'],
  define: (command) =>
    void command.addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'check', secret] = call.args
    if (word === 'check' && secret === undefined) return check(call)
    if (word === 'list' && secret === undefined) return list(call)
    if (word === 'set' && secret !== undefined) return change(call, secret, true)
    if (word === 'remove' && secret !== undefined) return change(call, secret, false)
    throw fail('SW_USAGE', 'it is: stateward secrets check, list, set <name>/<key>, or remove <name>/<key>')
  },
}

async function check(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listSecrets'> = await (await call.client()).call('listSecrets', { limit: PAGE })
  const missing = page.items.filter(({ provider }) => provider === null)
  if (options['output'] === 'json') await terminal.out(renderJson(page))
  else if (page.items.length === 0) await terminal.out('no object names a secret\n')
  else {
    const columns = [{ head: 'Secret' }, { head: 'From', shrinks: true }, { head: 'Named by', shrinks: true }]
    const rows = page.items.map(({ secret, provider, problem, named_by: by }) => [
      secret,
      provider ?? (problem === null ? 'missing' : `unusable: ${problem}`),
      by.join(', '),
    ])
    await terminal.out(renderTable(columns, rows, { width: terminal.columns }))
  }
  return missing.length === 0 ? 0 : 1
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const page: OutputOf<'listSecretProviders'> = await client.call('listSecretProviders', { limit: PAGE })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const rows = page.items.flatMap(({ provider, secrets, problem }) => {
    if (problem !== null) return [[provider, `unusable: ${problem}`]]
    if (secrets === null) return [[provider, '(cannot tell what it has)']]
    return secrets.length === 0 ? [[provider, '-']] : secrets.map((secret) => [provider, secret])
  })
  await terminal.out(
    renderTable([{ head: 'From' }, { head: 'Secret', shrinks: true }], rows, { width: terminal.columns }),
  )
  return 0
}

async function change(call: VerbCall, path: string, set: boolean): Promise<ExitCode> {
  const { terminal } = call
  if (!PATH.test(path)) throw fail('SW_USAGE', `"${path}" is no name of a secret: write <name>/<key>, sys/… or team/…`)
  const folder = dataFolder(call.config().config.data)
  const value = set ? (await terminal.stdin()).replace(/\r?\n$/, '') : null
  if (value === '') throw fail('SW_USAGE', 'nothing came from standard input', { remedy: 'pipe the value in' })
  const identity = (await ownIdentity(folder.root, true))!
  const file = ageFileOf(folder)
  const secrets = new Map(await readAgeFile(file, identity))
  const before = secrets.has(path)
  if (value === null) secrets.delete(path)
  else secrets.set(path, value)
  if (value !== null || before) await writeAgeFile(file, identity, secrets)
  const said = value === null ? (before ? 'removed' : 'was not there') : before ? 'replaced' : 'stored'
  await terminal.out(`secret ${path} ${said} in ${file}\n`)
  if (said === 'stored')
    await terminal.out('it is read by a SecretStore with encryptedFile; whether one has it: stateward secrets check\n')
  return 0
}
