import { Option } from 'commander'
import type { KindRow } from '../kinds/kind-row.ts'
import { RUN, TASK } from '../kinds/record-kinds.ts'
import { keyOf, type ObjectView } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Issue } from '../lib/issue.ts'
import type { ApiClient } from './client/api-client.ts'
import type { EventDto, RunDto, TaskDto } from './client/dto.ts'
import { newestEvents } from './client/events.ts'
import { listObjects, readObject } from './client/objects.ts'
import { allItems } from './client/pages.ts'
import { commandLine } from './command-line.ts'
import { KIND_TABLE } from './kinds/kind-table.ts'
import { givenNamespace, namespaceOf, namespaceOption, OUTPUT_FLAG, readTarget } from './operands.ts'
import { renderStanding } from './print/agent-standing.ts'
import { renderObject } from './print/object-description.ts'
import { renderRun } from './print/run-description.ts'
import { renderDocument } from './print/structured.ts'
import { renderTask } from './print/task-description.ts'
import type { Verb } from './verb.ts'
import { waitForRun } from './wait-for-run.ts'

const EVENTS = 20

export const verb: Verb = {
  arguments: '<object> [name]',
  description:
    'Shows one object: what was asked for, how it stands, what is wrong with it (file:line:column), its latest events.\n' +
    'For a run: why it failed, what it waits for and the command that lets it go on, its timeline, what went in and out.',
  examples: [
    ['stateward describe agent sre'],
    ['stateward describe run checkmk-k3q9', 'the beginning of a name is enough'],
    ['stateward describe run checkmk-k3q9 --watch', 'show its steps as they go, until it ends'],
    ['stateward describe task 01983a4e-6d01', 'with the results of its parts'],
    ['stateward describe source/default', 'every problem of the last commit'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-w, --watch', 'of a run: show its steps until it ends, as run --wait does')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  async run(call) {
    const [word = '', name] = call.args
    const { kind, name: target } = readTarget(word, name)
    const client = await call.client()
    const { clock, columns: width, colors } = call.terminal
    const context = { now: clock.now(), width, colors }
    const { output, watch } = call.options
    if (kind === RUN) {
      const run = await client.call('readRun', { run: target, namespace: givenNamespace(call.options) })
      if (watch === true) return waitForRun(call, client, run)
      const facts = await factsOf(client, run)
      const command = (...words: string[]) => commandLine(call, ...words)
      await call.terminal.out(renderDocument(output, facts) ?? renderRun({ ...facts, command }, context))
      return 0
    }
    if (kind === TASK) {
      const task = await client.call('readTask', { task_id: target })
      const events = await eventsOfTask(client, task)
      await call.terminal.out(renderDocument(output, { task, events }) ?? renderTask({ task, events }, context))
      return 0
    }
    if (watch === true) throw fail('SW_USAGE', `--watch goes with a run; for others: stateward get ${word} -w`)
    const object = await readObject(client, kind, namespaceOf(call.options), target)
    const [issues, events] = await Promise.all([issuesOf(client, object), eventsOf(client, object)])
    const agent = object.kind === 'Agent' ? await agentFacts(client, object) : null
    const facts = { object, issues, events, ...agent }
    const text = () =>
      renderObject({ kind, object, issues, events }, context) + (agent === null ? '' : renderStanding(agent, context))
    await call.terminal.out(renderDocument(output, facts) ?? text())
    return 0
  },
}

async function factsOf(client: ApiClient, run: RunDto) {
  const { run_id: id } = run
  const [steps, gates, artifacts, events] = await Promise.all([
    client.call('listSteps', { run: id, attempts: 'all' }),
    client.call('listRunGates', { run: id }),
    allItems(client, 'listArtifacts', { run_id: id }),
    newestEvents(client, { runId: id }, EVENTS),
  ])
  return { run, steps: steps.items, gates: gates.items, artifacts, events }
}

/** How an agent stands, and what it did. */
async function agentFacts(client: ApiClient, { metadata: { name, namespace = 'default' } }: ObjectView) {
  const [health, metrics] = await Promise.all([
    client.call('readAgentHealth', { agent: name, namespace }),
    client.call('readAgentMetrics', { agent: name, namespace }),
  ])
  return { health, metrics }
}

/** Events about a task are filed under its agent. */
async function eventsOfTask(client: ApiClient, { task_id, namespace, agent }: TaskDto): Promise<readonly EventDto[]> {
  const resource = { type: 'Agent', id: `${namespace}/${agent}` }
  const events = await newestEvents(client, { name: 'stateward.task.*', resource }, 10 * EVENTS)
  return events.filter(({ data }) => data['task_id'] === task_id).slice(-EVENTS)
}

/** Problems stand on the source that read them. */
async function issuesOf(client: ApiClient, object: ObjectView): Promise<readonly Issue[]> {
  const own = object.status['issues'] as readonly Issue[] | undefined
  if (object.kind === 'Source') return own ?? []
  const key = keyOf({ kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name })
  const sources = await listObjects(client, sourceKind(), { namespace: null, selector: null })
  const all = sources.items.flatMap((source) => (source.status['issues'] as readonly Issue[] | undefined) ?? [])
  return all.filter((issue) => issue.object === key)
}

function sourceKind(): KindRow {
  const kind = KIND_TABLE.find((row) => row.kind === 'Source')
  if (kind === undefined) throw fail('SW_INTERNAL', 'the kind Source is missing')
  return kind
}

/** Events name an object by its uid; those of an agent's processes by namespace and name. */
async function eventsOf(client: ApiClient, object: ObjectView): Promise<readonly EventDto[]> {
  const { uid, name, namespace } = object.metadata
  const ids = [uid, ...(object.kind === 'Agent' && namespace !== undefined ? [`${namespace}/${name}`] : [])]
  const found = await Promise.all(
    ids.map((id) => newestEvents(client, { resource: { type: object.kind, id } }, EVENTS)),
  )
  return found
    .flat()
    .sort((a, b) => a.seq - b.seq)
    .slice(-EVENTS)
}
