import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OutputOf } from './client/operation-request.ts'
import { givenNamespace, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const PAGE = 1000

export const verb: Verb = {
  arguments: '[list|describe|test|route|ask|calls] [text]',
  description:
    'list: providers and their models, in the order they are asked without a route.\n' +
    'describe: one provider, its models and what they cost.\n' +
    'test: asks one provider for a word.\n' +
    'route: which models a prompt would go to, and with --explain why not to others; nobody is asked.\n' +
    'ask: asks, and prints the answer.\n' +
    'calls: what was asked of models, the newest first.\n' +
    'A provider of type scripted is no model: rules of its document answer.',
  examples: [
    ['stateward models'],
    ['stateward models describe claude'],
    ['stateward models test ollama --model mistral:latest'],
    ['stateward models route --explain "Why does nginx answer 502?"'],
    ['stateward models ask --privacy localOnly "Summarize this line: …"'],
    ['stateward models calls --provider claude'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--model <name>', 'test, route, ask: this model')
      .option('--provider <name>', 'route, ask, calls: this provider')
      .option('--route <name>', 'route, ask: this ModelRoute')
      .option('--task-class <word>', 'route, ask: the kind of work')
      .addOption(new Option('--complexity <level>', 'route, ask: how complex it is').choices(['low', 'medium', 'high']))
      .addOption(new Option('--privacy <word>', 'route, ask: where the text may go').choices(['any', 'localOnly']))
      .option('--explain', 'route: also who is not asked, and why')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', ...more] = call.args
    const [first] = more
    if (word === 'list' && more.length === 0) return list(call)
    if (word === 'calls' && more.length === 0) return calls(call)
    if (word === 'describe' && more.length === 1) return describe(call, first!)
    if (word === 'test' && more.length === 1) return test(call, first!)
    if (word === 'route' && more.length === 1) return route(call, first!)
    if (word === 'ask' && more.length === 1) return ask(call, first!)
    throw fail(
      'SW_USAGE',
      'it is: stateward models, models describe <provider>, models test <provider>, models route <prompt>, models ask <prompt>, or models calls',
    )
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const page: OutputOf<'listModels'> = await (await call.client()).call('listModels', { limit: PAGE })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const columns = [
    { head: 'Provider', shrinks: true },
    ...['Type', 'Class', 'Prio', 'Ready', 'Breaker', 'Calls'].map((head) => ({ head })),
    { head: 'Models', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    item.name,
    item.type,
    item.class,
    `${item.priority}${item.fallback_only ? ' (fallback)' : ''}`,
    item.suspended ? 'suspended' : item.ready ? 'yes' : 'no',
    item.breaker,
    item.failures === 0 ? String(item.calls) : `${item.calls} (${item.failures} failed)`,
    item.models.map(({ name }) => name).join(', ') || '-',
  ])
  await terminal.out(
    rows.length === 0 ? 'no providers of models\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}

async function describe(call: VerbCall, provider: string): Promise<ExitCode> {
  const { options, terminal } = call
  const one: OutputOf<'readModelProvider'> = await (await call.client()).call('readModelProvider', { provider })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(one))
    return 0
  }
  const lines = [
    `Provider:  ${one.name}`,
    `Type:      ${one.type}${one.type === 'scripted' ? ' (rules answer, no model)' : ''}, ${one.class}`,
    `Ready:     ${one.ready ? 'yes' : 'no'}: ${one.message}`,
    `Breaker:   ${one.breaker}`,
    `Calls:     ${one.calls} in 24 hours, ${one.failures} failed`,
    ...(one.loaded.length === 0 ? [] : [`Loaded:    ${one.loaded.join(', ')}`]),
  ]
  const columns = [
    { head: 'Model', shrinks: true },
    ...['Layer', 'Max tokens', 'Temp', 'Context', 'In/MTok', 'Out/MTok'].map((head) => ({ head })),
  ]
  const cell = (value: string | number | null) => (value === null ? '-' : String(value))
  const rows = one.models.map((model) => [
    model.name,
    cell(model.layer),
    cell(model.max_tokens),
    cell(model.temperature),
    cell(model.context_length),
    cell(model.input_usd_per_mtok),
    cell(model.output_usd_per_mtok),
  ])
  const table = rows.length === 0 ? '' : `\n${renderTable(columns, rows, { width: terminal.columns })}`
  await terminal.out(`${lines.join('\n')}\n${table}`)
  return 0
}

async function test(call: VerbCall, provider: string): Promise<ExitCode> {
  const { options, terminal } = call
  const model = textOption(options, 'model')
  const answered: OutputOf<'testModelProvider'> = await (await call.client()).call('testModelProvider', {
    provider,
    namespace: givenNamespace(options),
    body: model === undefined ? {} : { model },
  })
  await terminal.out(
    options['output'] === 'json' ? renderJson(answered) : `${answered.text.trim()}\n${said(answered.call)}\n`,
  )
  return 0
}

async function ask(call: VerbCall, prompt: string): Promise<ExitCode> {
  const { options, terminal } = call
  const answered: OutputOf<'askModel'> = await (await call.client()).call('askModel', {
    namespace: givenNamespace(options),
    body: questionOf(call, prompt),
  })
  await terminal.out(options['output'] === 'json' ? renderJson(answered) : `${answered.text.trim()}\n`)
  if (options['output'] !== 'json') await terminal.err(`${said(answered.call)}\n`)
  return 0
}

/** `scripted demo/m answered in 12 ms, 8 + 3 tokens, 0.00 USD`. */
function said(one: OutputOf<'readModelCall'>): string {
  const label = one.provider_type === 'scripted' ? 'scripted ' : ''
  const model = one.model_answered ?? one.model_asked
  const tokens = one.usage === 'reported' ? `${one.input_tokens} + ${one.output_tokens} tokens` : 'usage unknown'
  return `${label}${one.provider}/${model} answered in ${one.latency_ms ?? 0} ms, ${tokens}, ${one.cost_usd} USD`
}

function questionOf({ options }: VerbCall, prompt: string) {
  const optional = (name: string, flag: string) => {
    const value = textOption(options, flag)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    prompt,
    ...optional('model', 'model'),
    ...optional('provider', 'provider'),
    ...optional('route', 'route'),
    ...optional('task_class', 'taskClass'),
    ...optional('complexity', 'complexity'),
    ...optional('privacy', 'privacy'),
  }
}

async function route(call: VerbCall, prompt: string): Promise<ExitCode> {
  const { options, terminal } = call
  const made: OutputOf<'routeModel'> = await (await call.client()).call('routeModel', {
    namespace: givenNamespace(options),
    body: questionOf(call, prompt),
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(made))
    return made.candidates.length === 0 ? 1 : 0
  }
  const where = made.route === null ? 'no route' : `route ${made.route}, rule ${made.rule ?? 'none fits'}`
  await terminal.out(`complexity ${made.complexity}; ${where}\n`)
  const columns = [
    { head: '' },
    { head: 'Provider', shrinks: true },
    { head: 'Model', shrinks: true },
    ...['Class', 'At most USD'].map((head) => ({ head })),
    { head: 'Why', shrinks: true },
  ]
  const rows = made.candidates.map((one, i) => [
    String(i + 1),
    one.provider_type === 'scripted' ? `${one.provider} (scripted)` : one.provider,
    one.model,
    one.class,
    one.at_most_usd,
    one.on === null ? one.by : `${one.by}, on ${one.on.join(', ')}`,
  ])
  await terminal.out(
    rows.length === 0 ? 'nobody can be asked\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  if (options['explain'] === true)
    for (const { provider, model, why } of made.skipped)
      await terminal.out(`not ${provider}${model === null ? '' : `/${model}`}: ${why}\n`)
  return made.candidates.length === 0 ? 1 : 0
}

async function calls(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const provider = textOption(options, 'provider')
  const page: OutputOf<'listModelCalls'> = await (await call.client()).call('listModelCalls', {
    namespace: givenNamespace(options),
    limit: 50,
    ...(provider === undefined ? {} : { provider }),
  })
  if (options['output'] === 'json') {
    await terminal.out(renderJson(page))
    return 0
  }
  const now = terminal.clock.now()
  const columns = [
    { head: 'Age' },
    { head: 'Provider', shrinks: true },
    { head: 'Model', shrinks: true },
    ...['State', 'Tokens', 'USD', 'ms'].map((head) => ({ head })),
    { head: 'Who', shrinks: true },
  ]
  const rows = page.items.map((item) => [
    ageOf(item.started_at, now),
    item.provider_type === 'scripted' ? `${item.provider} (scripted)` : item.provider,
    item.model_answered ?? item.model_asked,
    item.state === 'failed' ? `failed: ${item.cause}` : item.state,
    item.input_tokens === null ? (item.usage ?? '-') : `${item.input_tokens}+${item.output_tokens ?? 0}`,
    item.cost_usd,
    String(item.latency_ms ?? '-'),
    item.agent ?? item.actor,
  ])
  await terminal.out(
    rows.length === 0 ? 'no model was asked\n' : renderTable(columns, rows, { width: terminal.columns }),
  )
  return 0
}
