import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Drift } from './client/operations.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, readTarget, textOption } from './operands.ts'
import { renderFields } from './print/fields.ts'
import { terminalText } from './print/inline-text.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000
const UUID = /^[0-9a-f-]{36}$/

export const verb: Verb = {
  arguments: '[list|show|enforce|adopt] [object|id]',
  description:
    'Drift is live state that is not what Git says, with no commit about it: what somebody set at once (override), processes\n' +
    'that ended and are not started again (replicas), files of an agent that were changed on the machine (file), tools and\n' +
    'models that are others than were merged (tool-schema, model). enforce puts live back to what Git says; adopt proposes the\n' +
    'live value as a commit.',
  examples: [
    ['stateward drift', 'everything that differs'],
    ['stateward drift show agent/sre'],
    ['stateward drift enforce agent/sre --reason "the key was changed"'],
    ['stateward drift adopt agent/sre --field /spec/suspend', 'one of several'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--field <field>', 'of an object, only this: /spec/suspend, agents/sre/prompt.md')
      .option('-r, --reason <text>', 'enforce, adopt: why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', target] = call.args
    if (word === 'list' && target === undefined) return list(call)
    if (target !== undefined && word === 'show') return show(call, target)
    if (target !== undefined && (word === 'enforce' || word === 'adopt')) return act(call, word, target)
    throw fail('SW_USAGE', 'it is: stateward drift list, or show, enforce or adopt <object>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page = await (await call.client()).call('listDrift', { namespace: givenNamespace(options), limit: PAGE })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Object' },
    { head: 'Namespace' },
    { head: 'Seen by' },
    { head: 'Age' },
    { head: 'What differs', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    nameOf(item),
    item.object.namespace,
    item.source,
    ageOf(item.since, now),
    item.detail,
  ])
  await terminal.out(
    rows.length === 0 ? 'everything is as Git says\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function show(call: VerbCall, target: string): Promise<ExitCode> {
  const { options, terminal } = call
  const found = await driftsOf(call, target)
  if (options['output'] === 'json') await terminal.out(renderJson(found))
  else {
    const texts = found.map((item) =>
      renderFields(
        [
          ['Object', nameOf(item)],
          ['Field', item.field],
          ['Live', JSON.stringify(item.live)],
          ['Git', item.declared === null ? 'nothing' : JSON.stringify(item.declared)],
          ['What', terminalText(item.detail)],
          ['Since', item.since],
          ['By', item.set_by],
          ['Proposal', item.branch],
          ['Being put back', item.enforcing ? 'yes' : null],
          ['Id', item.id],
        ],
        terminal.colors,
      ),
    )
    await terminal.out(texts.join('\n'))
  }
  return 0
}

async function act(call: VerbCall, word: 'enforce' | 'adopt', target: string): Promise<ExitCode> {
  const { options, terminal } = call
  const reason = textOption(options, 'reason')
  const body = reason === undefined ? {} : { reason }
  const client = await call.client()
  const done: Drift[] = []
  for (const { id } of await driftsOf(call, target))
    done.push(await client.call(word === 'enforce' ? 'enforceDrift' : 'adoptDrift', { drift: id, body }))
  if (options['output'] === 'json') await terminal.out(renderJson(done))
  else {
    const line = (item: Drift): string =>
      word === 'enforce'
        ? `${nameOf(item)} ${item.field} is put back to what Git says\n`
        : `${nameOf(item)} ${item.field} is proposed on branch ${item.branch ?? '-'}\n`
    await terminal.out(done.map(line).join(''))
  }
  return 0
}

/** What an argument means: one difference by its id, or all of an object. */
async function driftsOf(call: VerbCall, target: string): Promise<readonly Drift[]> {
  const { options } = call
  const client = await call.client()
  if (UUID.test(target)) return [await client.call('readDrift', { drift: target })]
  const { kind, name } = readTarget(target)
  const namespace = kind.scope === 'Cluster' ? null : (givenNamespace(options) ?? 'default')
  const page = await client.call('listDrift', { kind: kind.kind, name, namespace, limit: PAGE })
  const field = textOption(options, 'field')
  const found = page.items.filter((item) => field === undefined || item.field === field)
  if (found.length === 0)
    throw fail('SW_NOT_FOUND', `${target}${field === undefined ? '' : ` ${field}`} is as Git says`, {
      remedy: 'see what differs: stateward drift',
    })
  return found
}

function nameOf({ object: { kind, name } }: Drift): string {
  return `${kind.toLowerCase()}/${name}`
}
