import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { isUuid } from '../lib/ids.ts'
import type { ApiClient } from './client/api-client.ts'
import type { Draft } from './client/operations.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { Terminal } from './terminal.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 100

export const verb: Verb = {
  arguments: '[list|save|show|validate|promote] [target]',
  description:
    'A draft is a blueprint, or a pack of documents, before it is in force: a proposal that is saved again and again. Validating\n' +
    'keeps a report of its revision; promoting merges it and tags the commit bp/<id>/v<version>, which stays as it is.\n' +
    'A draft is named by its id, by a beginning of it (8 characters or more), or by its name when one draft has it.',
  examples: [
    ['stateward drafts', 'the newest first'],
    ['stateward drafts save fix-disk.yaml --on disk.full --notes "first try"', 'named after its file'],
    ['stateward drafts save - --name fix-disk < fix.yaml', 'the next revision'],
    ['stateward drafts save ops.yaml --pack', 'several documents'],
    ['stateward drafts validate fix-disk', 'exit code 1 when it is not valid'],
    ['stateward drafts promote fix-disk', 'merged, and tagged bp/fix-disk/v1'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--name <name>', 'save: default is the name of the file')
      .option('--pack', 'save: a pack, not a blueprint')
      .option('--on <event>', 'save: the event that starts it, where the file does not say')
      .option('--notes <text>', 'save: why')
      .option('--run <id>', 'save: the run it comes from')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const [word = 'list', target, ...rest] = call.args
    if (word === 'list' && target === undefined) return list(call)
    if (target !== undefined && rest.length === 0) {
      if (word === 'save') return save(call, target)
      if (word === 'show') return show(call, target)
      if (word === 'validate') return validate(call, target)
      if (word === 'promote') return promote(call, target)
    }
    throw fail('SW_USAGE', 'it is: stateward drafts list, save <file>, or show, validate or promote <draft>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page = await (await call.client()).call('listDrafts', { limit: PAGE })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    ...[{ head: 'Draft' }, { head: 'Kind' }, { head: 'Name', shrinks: true }, { head: 'Revision' }],
    ...[{ head: 'Status' }, { head: 'Version' }, { head: 'By' }, { head: 'Age' }],
  ]
  const rows = page.items.map((item) => [
    ...[shortId(item.draft_id), item.kind, item.name, String(item.revision)],
    ...[item.status, item.version ?? '-', item.created_by, ageOf(item.updated_at, now)],
  ])
  await terminal.out(rows.length === 0 ? 'no drafts\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

/** Ids begin with the time: what differs is further behind. */
const shortId = (id: string): string => id.slice(0, 13)

async function save(call: VerbCall, file: string): Promise<ExitCode> {
  const { options, terminal } = call
  const name = textOption(options, 'name') ?? (file === '-' ? undefined : basename(file, extname(file)))
  if (name === undefined) throw fail('SW_USAGE', 'a draft from standard input needs --name')
  const [on, run] = [textOption(options, 'on'), textOption(options, 'run')]
  const draft = await (await call.client()).call('createDraft', {
    body: {
      namespace: namespaceOf(options),
      name,
      kind: options['pack'] === true ? 'pack' : 'blueprint',
      content: await textOf(file, terminal),
      notes: textOption(options, 'notes') ?? '',
      ...(on === undefined ? {} : { trigger_event_type: on }),
      ...(run === undefined ? {} : { source_run_id: run }),
    },
  })
  const text = `draft ${draft.name} is saved as revision ${draft.revision}, on proposal ${draft.proposal}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(draft) : text)
  return 0
}

async function show(call: VerbCall, target: string): Promise<ExitCode> {
  const { options, terminal } = call
  const draft = await found(await call.client(), target)
  if (options['output'] === 'json') {
    await terminal.out(renderJson(draft))
    return 0
  }
  const { report } = draft
  const lines = [
    `${draft.kind} ${draft.namespace}/${draft.name}, draft ${draft.draft_id}`,
    `revision ${draft.revision}, ${draft.status}${draft.tag === null ? '' : ` as ${draft.tag}`}, by ${draft.created_by}`,
    `proposal ${draft.proposal}`,
    ...(draft.notes === '' ? [] : [`notes: ${draft.notes}`]),
    ...(report === null ? ['this revision has no report'] : reportLines(report)),
  ]
  await terminal.out(`${lines.join('\n')}\n`)
  return 0
}

async function validate(call: VerbCall, target: string): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const { draft_id } = await found(client, target)
  const report = await client.call('validateDraft', { draft_id })
  const text = `${[`revision ${report.revision}`, ...reportLines(report)].join('\n')}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(report) : text)
  return report.is_valid ? 0 : 1
}

function reportLines({ is_valid, issues }: NonNullable<Draft['report']>): string[] {
  if (is_valid) return ['it is valid']
  return issues.flatMap(({ file, line, message, hint }) => {
    const where = file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `
    return [`${where}${message}`, ...(hint === '' ? [] : [`  ${hint}`])]
  })
}

async function promote(call: VerbCall, target: string): Promise<ExitCode> {
  const { options, terminal } = call
  const client = await call.client()
  const { draft_id } = await found(client, target)
  const promoted = await client.call('promoteDraft', { draft_id })
  const { version, tag, commit } = promoted
  const text = `${promoted.blueprint_id ?? promoted.pack_id} is promoted: version ${version}, tag ${tag}, commit ${commit}\n`
  await terminal.out(options['output'] === 'json' ? renderJson(promoted) : text)
  return 0
}

/** By whole id, a beginning of it, or a name that one draft has. SW_DRAFT_NOT_FOUND, SW_AMBIGUOUS. */
async function found(client: ApiClient, target: string): Promise<Draft> {
  if (isUuid(target)) return client.call('readDraft', { draft_id: target })
  const { items } = await client.call('listDrafts', { limit: PAGE })
  const named = items.filter(({ name }) => name === target)
  const open = named.filter(({ status }) => status !== 'promoted')
  const begun = target.length < 8 ? [] : items.filter(({ draft_id }) => draft_id.startsWith(target))
  const matching = open.length > 0 ? open : named.length > 0 ? named.slice(0, 1) : begun
  const [draft, ...others] = matching
  if (draft === undefined) throw fail('SW_DRAFT_NOT_FOUND', `there is no draft "${target}"`)
  if (others.length === 0) return draft
  throw fail('SW_AMBIGUOUS', `"${target}" could be ${matching.map(({ draft_id }) => draft_id).join(', ')}`)
}

async function textOf(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return terminal.stdin()
  const name = resolve(terminal.cwd, file)
  try {
    return await readFile(name, 'utf8')
  } catch (cause) {
    throw fail('SW_USAGE', `${name} cannot be read: ${errorMessage(cause)}`, { cause })
  }
}
