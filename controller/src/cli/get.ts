import { Option } from 'commander'
import type { ObjectView } from '../kinds/resource.ts'
import type { ApiClient } from './client/api-client.ts'
import { type ListScope, listObjects, readObject, watchObjects } from './client/objects.ts'
import { namespaceOf, namespaceOption, type Operand, OUTPUT_FLAG, readOperands, textOption } from './operands.ts'
import { ObjectTable } from './print/object-table.ts'
import { documentOf, renderJson, renderNames, renderYaml } from './print/structured.ts'
import { sourceProblems } from './source-problems.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '<kinds> [names...]',
  description: 'Lists objects. Kinds go by plural, singular or short name, several with commas, or all.',
  examples: [
    ['stateward get agents', 'every agent of namespace default'],
    ['stateward get runs -w', 'and go on as they change'],
    ['stateward get agents,bp -A -o wide', 'agents and blueprints of all namespaces, every column'],
    ['stateward get agent sre -o yaml', 'one object, whole'],
    ['stateward get agent/sre run/checkmk-k3q9', 'objects of different kinds'],
    ['stateward get all -l team=platform', 'by label'],
    ['stateward get tasks -o wide', 'what agents were asked for, and by whom'],
    ['stateward get workers', 'the processes of the server: roles, who leads, runs, leases'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-A, --all-namespaces', 'objects of every namespace')
      .option('-l, --selector <labels>', 'only objects with these labels: team=platform,tier!=db')
      .addOption(
        new Option(OUTPUT_FLAG, 'how to print').choices(['table', 'wide', 'json', 'yaml', 'name']).default('table'),
      )
      .option('-w, --watch', 'go on and print every change'),
  async run(call) {
    const operands = readOperands(call.args)
    const client = await call.client()
    const scope: ListScope = {
      namespace: call.options['allNamespaces'] === true ? null : namespaceOf(call.options),
      selector: textOption(call.options, 'selector') ?? null,
    }
    const found = await Promise.all(operands.map((operand) => fetchOperand(client, operand, scope)))
    const printer = newPrinter(call, operands, scope)
    await printer.first(found)
    // On stderr: what scripts read stays what it was.
    const kinds = operands.map(({ kind }) => kind).filter(({ kind }) => !['Run', 'Task', 'Worker'].includes(kind))
    if (isTable(call) && kinds.length > 0) await call.terminal.err(await sourceProblems(client, kinds))
    if (call.options['watch'] !== true) return 0
    // One watch that fails ends the others, too.
    const failed = new AbortController()
    const signal = AbortSignal.any([call.terminal.untilInterrupted(), failed.signal])
    try {
      await Promise.all(
        operands.map(async (operand, index) => {
          const names = found[index]!.items.map((object) => object.metadata.name)
          for await (const { object } of watchObjects(
            client,
            operand.kind,
            scope,
            found[index]!.resourceVersion,
            signal,
          )) {
            if (operand.names.length === 0 || names.includes(object.metadata.name)) await printer.next(index, object)
          }
        }),
      )
    } finally {
      failed.abort()
    }
    return 0
  },
}

function isTable({ options }: VerbCall): boolean {
  return options['output'] === 'table' || options['output'] === 'wide'
}

interface Found {
  readonly items: readonly ObjectView[]
  readonly resourceVersion: string
}

async function fetchOperand(client: ApiClient, operand: Operand, scope: ListScope): Promise<Found> {
  if (operand.names.length === 0) return listObjects(client, operand.kind, scope)
  const items = await Promise.all(
    operand.names.map((name) => readObject(client, operand.kind, scope.namespace ?? 'default', name)),
  )
  const versions = items.map((item) => Number(item.metadata.resourceVersion))
  return { items, resourceVersion: String(Math.max(...versions)) }
}

interface Printer {
  first(found: readonly Found[]): Promise<void>
  next(operand: number, object: ObjectView): Promise<void>
}

function newPrinter(call: VerbCall, operands: readonly Operand[], scope: ListScope): Printer {
  const format = String(call.options['output'])
  const named = operands.length === 1 && operands[0]!.names.length === 1
  if (format === 'json' || format === 'yaml') {
    const render = format === 'json' ? renderJson : (value: unknown) => renderYaml(value)
    const separator = format === 'yaml' ? '---\n' : ''
    return {
      first: (found) => {
        const version = String(Math.max(0, ...found.map((each) => Number(each.resourceVersion))))
        return call.terminal.out(
          render(
            documentOf(
              found.flatMap((each) => each.items),
              named,
              version,
            ),
          ),
        )
      },
      next: (_, object) => call.terminal.out(separator + render(object)),
    }
  }
  if (format === 'name') {
    return {
      first: (found) =>
        call.terminal.out(found.map((each, index) => renderNames(operands[index]!.kind, each.items)).join('')),
      next: (operand, object) => call.terminal.out(renderNames(operands[operand]!.kind, [object])),
    }
  }
  return tablePrinter(call, operands, scope, format === 'wide')
}

function tablePrinter({ terminal }: VerbCall, operands: readonly Operand[], scope: ListScope, wide: boolean): Printer {
  const tables = operands.map(
    ({ kind }) =>
      new ObjectTable(kind, {
        wide,
        withNamespace: scope.namespace === null && kind.scope === 'Namespaced',
        withKind: operands.length > 1,
        width: terminal.columns,
        colors: terminal.colors,
      }),
  )
  return {
    async first(found) {
      const texts = found.flatMap((each, index) =>
        each.items.length === 0 ? [] : [tables[index]!.render(each.items, terminal.clock.now())],
      )
      if (texts.length > 0) return terminal.out(texts.join('\n'))
      const where =
        scope.namespace === null || operands.every(({ kind }) => kind.scope === 'Cluster')
          ? ''
          : ` in namespace ${scope.namespace}`
      return terminal.err(`No ${operands.length === 1 ? operands[0]!.kind.plural : 'objects'} found${where}.\n`)
    },
    next: (operand, object) => terminal.out(tables[operand]!.render([object], terminal.clock.now())),
  }
}
