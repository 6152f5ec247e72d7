import { InvalidArgumentError, Option } from 'commander'
import { RUN_STATUSES } from '../kinds/record-kinds.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { firstItems } from './client/pages.ts'
import { positiveInteger } from './events.ts'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, textOption } from './operands.ts'
import { renderRunTable } from './print/run-table.ts'
import { renderDocument } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description: 'Lists runs, the newest first.',
  examples: [
    ['stateward runs'],
    ['stateward runs --status failed,cancelled --since 24h', 'what went wrong today'],
    ['stateward runs --waiting', 'what waits for a decision'],
    ['stateward runs --blueprint docs-review --limit 5 -o wide'],
    ["stateward runs -A --since 2026-05-01 -o json | jq '.items[].name'"],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-A, --all-namespaces', 'runs of every namespace')
      .addOption(
        new Option('-s, --status <words>', `only ${RUN_STATUSES.join(', ')}; several with commas`).argParser(statuses),
      )
      .option('--waiting', 'only those that wait for the decision of a person')
      .option('-b, --blueprint <name>', 'only those of this blueprint')
      .option('--since <time>', 'only those created since: 2h, 7d, 2026-05-01, 2026-05-01T09:00Z')
      .option('--limit <n>', 'how many', positiveInteger, 20)
      .addOption(
        new Option(OUTPUT_FLAG, 'how to print').choices(['table', 'wide', 'json', 'yaml', 'name']).default('table'),
      ),
  async run(call) {
    const { options, terminal } = call
    const now = terminal.clock.now()
    const namespace = options['allNamespaces'] === true ? null : namespaceOf(options)
    const since = textOption(options, 'since')
    const query = {
      namespace,
      status: textOption(options, 'status'),
      blueprint_ref: textOption(options, 'blueprint'),
      since: since === undefined ? null : sinceOf(since, now).toISOString(),
      waits_for: options['waiting'] === true ? ('approval' as const) : null,
    }
    const client = await call.client()
    const { items, more } = await firstItems(client, 'listRuns', query, Number(options['limit']))
    const { output } = options
    const document = renderDocument(output, { items })
    if (document !== null) await terminal.out(document)
    else if (output === 'name') await terminal.out(items.map(({ name }) => `${name}\n`).join(''))
    else if (items.length === 0)
      await terminal.err(`No runs found${namespace === null ? '' : ` in namespace ${namespace}`}.\n`)
    else {
      const wide = output === 'wide'
      await terminal.out(
        renderRunTable(items, {
          wide,
          withNamespace: namespace === null,
          now,
          width: terminal.columns,
          colors: terminal.colors,
        }),
      )
      if (more) await terminal.err(`… and older ones: --limit ${items.length * 5}\n`)
    }
    return 0
  },
}

function statuses(text: string): string {
  const wrong = text.split(',').find((word) => !RUN_STATUSES.includes(word))
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${RUN_STATUSES.join(', ')}.`)
  return text
}

/** A time as it is, or a span before now. */
function sinceOf(text: string, now: Date): Date {
  try {
    return new Date(now.getTime() - parseDuration(text))
  } catch {
    const time = new Date(text)
    if (Number.isNaN(time.getTime()))
      throw fail('SW_USAGE', `--since ${text} is neither a span like 2h nor a time like 2026-05-01T09:00Z`)
    return time
  }
}
