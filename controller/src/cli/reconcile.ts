import { Option } from 'commander'
import { namespaceOf, namespaceOption, OUTPUT_FLAG, readTarget, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderSync, type SyncResult } from './print/sync.ts'
import { sourceName } from './source-name.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[object] [name]',
  description: 'Reads the state repo now. With an object: reconciles that one now.',
  examples: [
    ['stateward reconcile --wait', 'and show what the head changed'],
    ['stateward reconcile --wait -o json', 'the same for scripts: revision, outcome, counts, issues'],
    ['stateward reconcile agent/sre', 'one object'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('-w, --wait', 'wait until the head was accepted or refused; exit 1 when it was refused')
      .option('--source <name>', 'which source, where there are several')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run: (call) => (call.args.length > 0 || call.options['wait'] !== true ? request(call) : sync(call)),
}

/** Asks for it and does not wait. */
async function request(call: VerbCall): Promise<ExitCode> {
  const [word, name] = call.args
  const target = word === undefined ? null : readTarget(word, name)
  const client = await call.client()
  const answer = await client.call('reconcile', {
    body:
      target === null
        ? {}
        : {
            kind: target.kind.kind,
            name: target.name,
            ...(target.kind.scope === 'Cluster' ? {} : { namespace: namespaceOf(call.options) }),
          },
  })
  const what = target === null ? 'every source' : `${target.kind.singular}/${target.name}`
  await call.terminal.out(
    call.options['output'] === 'json'
      ? renderJson(answer)
      : `${what} will be reconciled, asked for at ${answer.requested_at}\n`,
  )
  return 0
}

async function sync(call: VerbCall): Promise<ExitCode> {
  const client = await call.client()
  const source = await sourceName(client, textOption(call.options, 'source'))
  const { revision, sync: row, counts, issues } = await client.call('syncSource', { source })
  const result: SyncResult =
    row === null
      ? { source, revision, outcome: 'unchanged', counts, changes: [], issues }
      : {
          source,
          revision,
          outcome: row.outcome,
          counts: row.counts,
          changes: (row.changes ?? []) as SyncResult['changes'],
          issues: row.issues,
        }
  await call.terminal.out(
    call.options['output'] === 'json' ? renderJson(result) : renderSync(result, call.terminal.colors),
  )
  return result.outcome === 'refused' ? 1 : 0
}
