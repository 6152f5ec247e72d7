import { keyOf, type ObjectView } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Issue } from '../lib/issue.ts'
import type { ApiClient } from './client/api-client.ts'
import type { EventDto } from './client/dto.ts'
import { newestEvents } from './client/events.ts'
import { listObjects, readObject } from './client/objects.ts'
import { commandLine } from './command-line.ts'
import type { KindRow } from './kinds/kind-row.ts'
import { KIND_TABLE } from './kinds/kind-table.ts'
import { RUN } from './kinds/record-kinds.ts'
import { givenNamespace, namespaceOf, namespaceOption, readTarget } from './operands.ts'
import { renderObject } from './print/object-description.ts'
import { renderRun } from './print/run-description.ts'
import type { Verb } from './verb.ts'

const EVENTS = 20

export const verb: Verb = {
  arguments: '<object> [name]',
  description:
    'Shows one object: what was asked for, how it stands, what is wrong with it (file:line:column), its latest events.\n' +
    'For a run: its steps, what went in and out, what it waits for and the command that lets it go on.',
  examples: [
    ['stateward describe agent sre'],
    ['stateward describe run checkmk-k3q9', 'the beginning of a name is enough'],
    ['stateward describe source/default', 'every problem of the last commit'],
  ],
  define: (command) => void namespaceOption(command),
  async run(call) {
    const [word = '', name] = call.args
    const { kind, name: target } = readTarget(word, name)
    const client = await call.client()
    const { clock, columns: width, colors } = call.terminal
    const context = { now: clock.now(), width, colors }
    if (kind === RUN) {
      const run = await describeRun(client, target, givenNamespace(call.options))
      await call.terminal.out(renderRun({ ...run, command: (...words) => commandLine(call, ...words) }, context))
      return 0
    }
    const object = await readObject(client, kind, namespaceOf(call.options), target)
    const [issues, events] = await Promise.all([issuesOf(client, object), eventsOf(client, object)])
    await call.terminal.out(renderObject({ kind, object, issues, events }, context))
    return 0
  },
}

async function describeRun(client: ApiClient, name: string, namespace: string | null) {
  const run = await client.call('readRun', { run: name, namespace })
  const [steps, events] = await Promise.all([
    client.call('listSteps', { run: run.run_id }),
    newestEvents(client, { runId: run.run_id }, EVENTS),
  ])
  return { run, steps: steps.items, events }
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
