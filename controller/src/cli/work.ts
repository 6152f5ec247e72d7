import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { WorkItem } from './client/operations.ts'
import { commandLine } from './command-line.ts'
import { collect } from './json-argument.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const USAGE =
  'it is: stateward work list, types, create <type> <title>, move <item> <state>, assign <item> [who], start <item>, link|unlink <item> <relation> <other>'
const PAGE = 100

export const verb: Verb = {
  arguments: '<list|types|create|move|assign|start|link|unlink> [words...]',
  description:
    'The work graph: topics, sprints, tickets, tasks, sessions, escalations, decisions and what follows from work.\n' +
    'An item is named by its name, its id, or a unique beginning of one. One item whole: stateward describe wi <item>.',
  examples: [
    ['stateward work types', 'every type, its states and where they lead'],
    ['stateward work create ticket "Alerts come twice" --project platform --field kind=bug'],
    ['stateward work list --type ticket --phase open', 'and with --ready only what waits for nothing'],
    ['stateward work assign task-k3q9 --capability alerts', 'to the agent that can and has the least to do'],
    ['stateward work start task-k3q9', 'have its agent do it; the item follows the task'],
    ['stateward work move ticket-k3q9 resolved --reason "the rule is fixed"'],
    ['stateward work link task-k3q9 depends_on task-a2b3'],
    ['stateward work link ticket-k3q9 caused_by run/checkmk-x7k2', 'a run'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--type <type>', 'list: only items of this type')
      .option('--state <state>', 'list: only items in this state')
      .addOption(new Option('--phase <phase>', 'list: only these').choices(['open', 'done', 'dropped']))
      .option('--ready', 'list: only what is open and waits for no other item')
      .option('--project <project>', 'list: only of this project; create: for this project')
      .option('--parent <item>', 'list: only parts of it; create: a part of it')
      .option('--assignee <who>', 'list, create: agent:<namespace>/<name> or user:<name>')
      .option('--capability <name>', 'create, assign: that the work requires; may be repeated', collect)
      .option('--description <text>', 'create: the details')
      .option('--field <name=value>', 'create: a field of the type; may be repeated', collect)
      .option('--prompt <text>', 'start: what the agent is asked (default: what the item says)')
      .option('--reason <text>', 'move: why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word, ...words] = call.args
    const [a, b, c] = words
    if (word === 'list' && words.length === 0) return list(call)
    if (word === 'types' && words.length === 0) return types(call)
    if (word === 'create' && a !== undefined && b !== undefined && words.length === 2) return create(call, a, b)
    if (word === 'move' && a !== undefined && b !== undefined && words.length === 2) return move(call, a, b)
    if (word === 'assign' && a !== undefined && words.length <= 2) return assign(call, a, b)
    if (word === 'start' && a !== undefined && words.length === 1) return start(call, a)
    if ((word === 'link' || word === 'unlink') && c !== undefined && words.length === 3)
      return link(call, word, { item: a!, relation: b!, other: c })
    throw fail('SW_USAGE', USAGE)
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page = await (await call.client()).call('listWorkItems', {
    namespace: givenNamespace(options),
    type: textOption(options, 'type') as WorkItem['type'] | undefined,
    state: textOption(options, 'state') as 'open' | undefined,
    phase: textOption(options, 'phase') as WorkItem['phase'] | undefined,
    project: textOption(options, 'project'),
    parent: textOption(options, 'parent'),
    assignee: textOption(options, 'assignee'),
    ready: options['ready'] === true,
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Name' },
    { head: 'State' },
    { head: 'Assignee' },
    { head: 'Parts' },
    { head: 'Age' },
    { head: 'Title', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.name,
    item.waits_for.length === 0 ? item.state : `${item.state}, waits`,
    item.assignee ?? '-',
    item.parts.total === 0 ? '-' : `${item.parts.done}/${item.parts.total}`,
    ageOf(item.created_at, now),
    item.title,
  ])
  await terminal.out(rows.length === 0 ? 'no work items\n' : renderTable(columns, rows, { width: terminal.columns }))
  if (page.next_cursor !== null) await terminal.out(`… and older ones: only the newest ${PAGE} are shown\n`)
  return 0
}

async function types({ client, options, terminal }: VerbCall): Promise<ExitCode> {
  const answer = await (await client()).call('listWorkItemTypes', {})
  if (options['output'] === 'json') {
    await terminal.out(renderJson(answer))
    return 0
  }
  const rows = answer.items.flatMap(({ type, states }) =>
    states.map(({ state, phase, to }, i) => [i === 0 ? type : '', state, phase, to.join(', ')]),
  )
  const columns = [{ head: 'Type' }, { head: 'State' }, { head: 'Phase' }, { head: 'To', shrinks: true }]
  await terminal.out(renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

async function create(call: VerbCall, type: string, title: string): Promise<ExitCode> {
  const { options } = call
  const optional = {
    namespace: givenNamespace(options) ?? undefined,
    project: textOption(options, 'project'),
    parent: textOption(options, 'parent'),
    assignee: textOption(options, 'assignee'),
    description: textOption(options, 'description'),
    required_capabilities: options['capability'] as readonly string[] | undefined,
    fields: fieldsOf(options['field'] as readonly string[] | undefined),
  }
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  const body = { type: type as WorkItem['type'], title, ...given }
  const item = await (await call.client()).call('createWorkItem', { body })
  return tell(call, item, `${item.name} was made`)
}

async function move(call: VerbCall, item: string, state: string): Promise<ExitCode> {
  const reason = textOption(call.options, 'reason')
  const moved = await (await call.client()).call('moveWorkItem', {
    ...target(call, item),
    body: { state: state as 'open', ...(reason === undefined ? {} : { reason }) },
  })
  return tell(call, moved, `${moved.name} is ${moved.state}`)
}

async function assign(call: VerbCall, item: string, who: string | undefined): Promise<ExitCode> {
  const capabilities = call.options['capability'] as readonly string[] | undefined
  const given = await (await call.client()).call('assignWorkItem', {
    ...target(call, item),
    body: {
      ...(who === undefined ? {} : { assignee: who === 'nobody' ? null : who }),
      ...(capabilities === undefined ? {} : { capabilities }),
    },
  })
  return tell(call, given, `${given.name} is ${given.state}, ${given.assignee ?? 'nobody'} has it`)
}

async function start(call: VerbCall, item: string): Promise<ExitCode> {
  const prompt = textOption(call.options, 'prompt')
  const started = await (await call.client()).call('startWorkItem', {
    ...target(call, item),
    body: prompt === undefined ? {} : { prompt },
  })
  return tell(
    call,
    started,
    `${started.name} is ${started.state}, ${started.assignee} does it: task ${started.task_id}`,
  )
}

async function link(
  call: VerbCall,
  word: 'link' | 'unlink',
  edge: { readonly item: string; readonly relation: string; readonly other: string },
): Promise<ExitCode> {
  const isRun = edge.other.startsWith('run/')
  const item = await (await call.client()).call(word === 'link' ? 'linkWorkItem' : 'unlinkWorkItem', {
    ...target(call, edge.item),
    body: {
      relation: edge.relation as 'depends_on',
      to: isRun ? edge.other.slice('run/'.length) : edge.other,
      kind: isRun ? 'Run' : 'WorkItem',
    },
  })
  return tell(call, item, `${item.name} ${word === 'link' ? '' : 'no more '}${edge.relation} ${edge.other}`)
}

function target({ options }: VerbCall, item: string) {
  return { item, namespace: givenNamespace(options) ?? undefined }
}

async function tell(call: VerbCall, item: WorkItem, text: string): Promise<ExitCode> {
  const { options, terminal } = call
  if (options['output'] === 'json') await terminal.out(renderJson(item))
  else await terminal.out(`${text}\nnext: ${commandLine(call, 'describe', 'wi', item.name)}\n`)
  return 0
}

/** `severity=high`, `score=3`, `options=["a","b"]`: JSON where it is JSON, else text. */
function fieldsOf(given: readonly string[] | undefined): JsonObject | undefined {
  if (given === undefined) return undefined
  const pairs = given.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw fail('SW_USAGE', `--field ${text}: write <name>=<value>`)
    return [text.slice(0, at), fieldValue(text.slice(at + 1))]
  })
  return Object.fromEntries(pairs) as JsonObject
}

function fieldValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
