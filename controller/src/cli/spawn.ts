import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { SpawnedAgent } from './client/operations.ts'
import { firstItems } from './client/pages.ts'
import { givenNamespace, namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderFields } from './print/fields.ts'
import { renderDocument } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

const SHOWN = 100

export const verb: Verb = {
  arguments: '[name]',
  description:
    'Spawns an instance of a declared template (or, with --agent, of a declared agent) while the fleet runs. It is owned by\n' +
    'whoever spawned it, and no commit removes it. An ephemeral one ends with its task, its time, its budget or its parent.',
  examples: [
    ['stateward spawn engineer', 'runs until it is ended'],
    [
      'stateward spawn engineer --ephemeral --parent sre --budget 0.50 --ttl 10m --prompt "Read the logs of web-1"',
      'ends with its task, or after 10 minutes',
    ],
    ['stateward spawn --list', 'what was spawned, and what became of it'],
    ['stateward spawn --end engineer-k3q7zt'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--agent', 'the name is that of an agent, not of a template')
      .option('--ephemeral', 'it ends by itself; needs --parent, --budget and --ttl')
      .option('--parent <agent>', 'the agent that answers for it')
      .option('--budget <usd>', 'what it may spend: 0.50')
      .option('--ttl <duration>', 'it ends after that: 10m')
      .option('--host <name>', 'where; default: wherever there is room')
      .option('--prompt <text>', 'a task for it; an ephemeral one ends with that')
      .option('-r, --reason <text>', 'why; it is kept with it')
      .option('--list', 'list spawned agents')
      .option('--end', 'end the spawned agent of that name')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  run(call) {
    const [name] = call.args
    if (call.options['list'] === true && name === undefined) return list(call)
    if (name === undefined) throw fail('SW_USAGE', 'name a template, or an agent with --agent; or --list')
    return call.options['end'] === true ? end(call, name) : spawn(call, name)
  },
}

async function spawn(call: VerbCall, name: string): Promise<ExitCode> {
  const { options } = call
  const [parent, budget, host, reason, prompt, ttl] = (
    ['parent', 'budget', 'host', 'reason', 'prompt', 'ttl'] as const
  ).map((option) => textOption(options, option))
  const client = await call.client()
  const agent = await client.call('spawnAgent', {
    body: {
      ...(options['agent'] === true ? { agent: name } : { template: name }),
      namespace: namespaceOf(options),
      lifetime: options['ephemeral'] === true ? 'ephemeral' : 'longLived',
      ...(parent === undefined ? {} : { parent }),
      ...(budget === undefined ? {} : { budget_usd: budget }),
      ...(host === undefined ? {} : { host }),
      ...(reason === undefined ? {} : { reason }),
      ...(prompt === undefined ? {} : { task: { prompt } }),
      ...(ttl === undefined ? {} : { ttl_seconds: seconds(ttl) }),
    },
  })
  await call.terminal.out(renderDocument(options['output'], agent) ?? rendered(call, agent))
  return 0
}

function seconds(text: string): number {
  try {
    return Math.max(1, Math.round(parseDuration(text) / 1000))
  } catch {
    throw fail('SW_USAGE', `--ttl ${text} is not a duration; write 10m or 24h`)
  }
}

async function end(call: VerbCall, name: string): Promise<ExitCode> {
  const client = await call.client()
  const agent = await client.call('endAgent', { agent: name, namespace: givenNamespace(call.options) })
  await call.terminal.out(renderDocument(call.options['output'], agent) ?? `agent ${agent.name} is being ended\n`)
  return 0
}

async function list(call: VerbCall): Promise<ExitCode> {
  const client = await call.client()
  const namespace = givenNamespace(call.options)
  const { items } = await firstItems(client, 'listSpawnedAgents', namespace === null ? {} : { namespace }, SHOWN)
  const text = () => (items.length === 0 ? 'no agents were spawned\n' : tableOf(call, items))
  await call.terminal.out(renderDocument(call.options['output'], { items }) ?? text())
  return 0
}

function rendered({ terminal }: VerbCall, agent: SpawnedAgent): string {
  return renderFields(
    [
      ['Agent', agent.name],
      ['Of', `${agent.of.kind} ${agent.of.name}`],
      ['Lifetime', agent.lifetime],
      ['Host', agent.host],
      ['Owner', agent.owner],
      ['Parent', agent.parent],
      ['Budget', agent.budget_usd === null ? null : `${agent.budget_usd} USD`],
      ['Deadline', agent.deadline],
      ['Task', agent.task_id],
    ],
    terminal.colors,
  )
}

function tableOf({ terminal }: VerbCall, items: readonly SpawnedAgent[]): string {
  const now = terminal.clock.now()
  const columns = ['Name', 'Of', 'Lifetime', 'Parent', 'Age', 'State'].map((head) => ({ head }))
  const rows = items.map((one) => [
    one.name,
    one.of.name,
    one.lifetime,
    one.parent ?? '-',
    ageOf(one.created_at, now),
    one.end_reason ?? 'lives',
  ])
  return renderTable(columns, rows, { width: terminal.columns })
}
