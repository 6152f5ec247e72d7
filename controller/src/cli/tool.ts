import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { OutputOf } from './client/operation-request.ts'
import type { ToolCall } from './client/operations.ts'
import { collect, readJson, readJsonObject, readPairs } from './json-argument.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson, renderYaml } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import { lockTools, type Offered, offeredTools } from './tool-lock.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000
const WAIT_SECONDS = 30

export const verb: Verb = {
  arguments: '<list|describe|call|calls|show|undo|approve|reject|lock> [name]',
  description:
    'Tools are what plans and agents call. `call` calls one outside of any run, with everything a step has: its input is\n' +
    'checked, policies are asked, and a record is there before the tool is called. A call may wait for approvals.\n' +
    'Of a call of an agent that is a model whose outcome a crash hid (`calls --state unknown`), --retry calls the tool again,\n' +
    '--done goes on with the output that --input gives, and to reject fails its task.\n' +
    '`lock` proposes Tools for what an McpServer offers; nothing of it may be called before they are merged.',
  examples: [
    ['stateward tool list'],
    ['stateward tool describe http.call', 'what it takes, answers, may do and costs'],
    ['stateward tool call fs.write --with path=notes.txt --with content=hello'],
    ['stateward tool call http.call --input \'{"url":"https://example.com"}\''],
    ['stateward tool undo 01983a52-7c11-7a22-9b33-4c5d6e7f8a90', 'what it overwrote, moved or deleted comes back'],
    ['stateward tool calls --state waiting', 'those that wait for approvals'],
    ['stateward tool lock github', 'proposes Tools that pin what McpServer github offers'],
    ['stateward tool approve 01983a52-7c11-7a22-9b33-4c5d6e7f8a90'],
    [
      'stateward tool approve 01983a52-7c11-7a22-9b33-4c5d6e7f8a90 --retry',
      'a crash hid what became of it: it took no effect',
    ],
    [
      'stateward tool approve 01983a52-7c11-7a22-9b33-4c5d6e7f8a90 --done --input output.json',
      'it took effect, with this output',
    ],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-w, --with <key=value>', 'call: a parameter; JSON keeps its type; may be repeated', collect)
      .option(
        '-i, --input <json>',
        'call: all parameters: JSON, @file, or - for standard input; approve --done: the output',
      )
      .option('--retry', 'approve: nobody knows what became of it; call the tool again')
      .option('--done', 'approve: nobody knows what became of it; it took effect')
      .option('--id <uuid>', 'call: an id of your own; the same again answers the same call')
      .option('--state <state>', 'calls: only those in this state')
      .option('-r, --reason <text>', 'approve, reject: why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = '', name] = call.args
    if (word === 'list' && name === undefined) return list(call)
    if (word === 'calls' && name === undefined) return calls(call)
    const on = name === undefined ? undefined : ON_ONE[word]
    if (on !== undefined) return on(call, name!)
    throw fail(
      'SW_USAGE',
      'it is: stateward tool list, calls, describe <tool>, call <tool>, show <call>, undo <call>, approve <call>, reject <call> or lock <server>',
    )
  },
}

const ON_ONE: Readonly<Record<string, (call: VerbCall, name: string) => Promise<ExitCode>>> = {
  describe,
  call: callTool,
  show,
  undo: (call, id) => callWith(call, 'tool.undo', { call: id }),
  approve: (call, id) => decide(call, id, 'approveToolCall'),
  reject: (call, id) => decide(call, id, 'rejectToolCall'),
  lock: lockTools,
}

async function list({ options, terminal, client }: VerbCall): Promise<ExitCode> {
  const page: OutputOf<'listTools'> = await (await client()).call('listTools', {
    namespace: givenNamespace(options),
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const columns = [
    { head: 'Name' },
    { head: 'Risk' },
    { head: 'Effects' },
    { head: 'From' },
    { head: 'Description', shrinks: true },
  ]
  const offered = await offeredTools(await client(), givenNamespace(options) ?? 'default')
  const rows = page.items.map((tool) => [
    tool.name,
    tool.risk,
    tool.side_effects,
    tool.rehearsal ? 'rehearsal' : tool.builtin ? 'built in' : fromText(offered.get(tool.name)),
    tool.description,
  ])
  for (const [name, { server, state }] of offered)
    if (state === 'new' && !page.items.some((tool) => tool.name === name))
      rows.push([name, '', '', `mcp ${server}`, `may not be called: stateward tool lock ${server}`])
  await terminal.out(renderTable(columns, rows, { width: terminal.columns }))
  return 0
}

/** Where a declared tool comes from. */
function fromText(offered: Offered | undefined): string {
  if (offered === undefined) return 'declared'
  return offered.state === 'locked' ? `mcp ${offered.server}` : `mcp ${offered.server}: ${offered.state}`
}

async function describe({ options, terminal, client }: VerbCall, tool: string): Promise<ExitCode> {
  const found = await (await client()).call('readTool', { tool, namespace: givenNamespace(options) })
  await terminal.out(options['output'] === 'json' ? renderJson(found) : renderYaml(found))
  return 0
}

async function callTool(call: VerbCall, tool: string): Promise<ExitCode> {
  const { options, terminal } = call
  const text = textOption(options, 'input')
  const all: JsonObject = text === undefined ? {} : await readJsonObject('--input', text, terminal)
  const input = { ...all, ...readPairs('--with', (options['with'] as readonly string[] | undefined) ?? []) }
  return await callWith(call, tool, input)
}

async function callWith(call: VerbCall, tool: string, input: JsonObject): Promise<ExitCode> {
  const { options } = call
  const id = textOption(options, 'id')
  const namespace = givenNamespace(options)
  const row = await (await call.client()).call('callTool', {
    tool,
    body: {
      input,
      wait_seconds: WAIT_SECONDS,
      ...(namespace === null ? {} : { namespace }),
      ...(id === undefined ? {} : { call_id: id }),
    },
  })
  return await said(call, row)
}

async function show(call: VerbCall, id: string): Promise<ExitCode> {
  return await said(call, await (await call.client()).call('readToolCall', { call: id }))
}

async function decide(call: VerbCall, id: string, operation: 'approveToolCall' | 'rejectToolCall'): Promise<ExitCode> {
  const reason = textOption(call.options, 'reason')
  const answer = operation === 'approveToolCall' ? await answerOf(call) : undefined
  const given = reason === undefined ? {} : { reason }
  const body = answer === undefined ? given : { ...given, input: answer }
  const row = await (await call.client()).call(operation, { call: id, body })
  if (operation === 'approveToolCall') return await said(call, row)
  await call.terminal.out(
    call.options['output'] === 'json' ? renderJson(row) : `the call of ${row.tool} is ${row.state}\n`,
  )
  return 0
}

/** What `--retry` and `--done` say of a call whose end nobody knows. */
async function answerOf({ options, terminal }: VerbCall) {
  const text = textOption(options, 'input')
  const [retry, done] = [options['retry'] === true, options['done'] === true]
  if (retry && (done || text !== undefined)) throw fail('SW_USAGE', '--retry takes no output: the tool is called again')
  if (retry) return { answer: 'retry' as const }
  if (!done) return undefined
  return {
    answer: 'done' as const,
    ...(text === undefined ? {} : { output: await readJson('--input', text, terminal) }),
  }
}

/** Exit code 0 = it succeeded, or goes on. */
async function said({ options, terminal }: VerbCall, row: ToolCall): Promise<ExitCode> {
  const isBad = row.state === 'failed' || row.state === 'unknown' || row.state === 'refused'
  if (options['output'] === 'json') await terminal.out(renderJson(row))
  else if (row.state === 'succeeded') await terminal.out(renderYaml(row.output))
  else if (row.state === 'waiting')
    await terminal.out(
      `call ${row.id} waits for approvals: ${row.asked_by}\napprove it: stateward tool approve ${row.id}\n`,
    )
  else if (row.state === 'running') await terminal.out(`call ${row.id} goes on: stateward tool show ${row.id}\n`)
  else {
    const { code, message, remedy } = (row.error ?? {}) as Record<string, string>
    await terminal.err(
      `${row.state}: ${message} (${code})\n${remedy === undefined || remedy === '' ? '' : `${remedy}\n`}`,
    )
  }
  return isBad ? 1 : 0
}

async function calls({ options, terminal, client }: VerbCall): Promise<ExitCode> {
  const state = textOption(options, 'state')
  const page: OutputOf<'listToolCalls'> = await (await client()).call('listToolCalls', {
    namespace: givenNamespace(options),
    ...(state === undefined ? {} : { state: state as ToolCall['state'] }),
    limit: PAGE,
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Call' },
    { head: 'Tool' },
    { head: 'State' },
    { head: 'Age' },
    { head: 'By', shrinks: true },
  ]
  const rows = page.items.map((row) => [row.id, row.tool, row.state, ageOf(row.created_at, now), row.actor])
  await terminal.out(rows.length === 0 ? 'no calls\n' : renderTable(columns, rows, { width: terminal.columns }))
  return 0
}
