import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Option } from 'commander'
import { ageOf } from '../kinds/printer-cell.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { ArtifactDto } from './client/dto.ts'
import { allItems } from './client/pages.ts'
import { OUTPUT_FLAG, textOption } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  arguments: '[list|get|put] [what]',
  description:
    'Lists artifacts, fetches the bytes of one into a file, or stores a file as one.\n' +
    'What runs and people keep as files: reports, bundles, and the log of each run as it stood at its end.',
  examples: [
    ['stateward artifacts list --run checkmk-k3q9zt'],
    ['stateward artifacts get 0190a5c8-… --file report.json'],
    ['stateward artifacts put report.json --kind report --type application/json --run checkmk-k3q9zt'],
  ],
  define: (command) =>
    void command
      .option('--run <run>', 'of this run')
      .option('--kind <word>', 'log, report, bundle, file, or another word')
      .option('--file <path>', 'get: where to write the bytes')
      .option('--name <name>', 'put: its name; default: that of the file')
      .option('--type <type>', 'put: its content type', 'application/octet-stream')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  run(call) {
    const [word = 'list', what] = call.args
    if (word === 'list' && what === undefined) return list(call)
    if (word === 'get' && what !== undefined) return get(call, what)
    if (word === 'put' && what !== undefined) return put(call, what)
    throw fail('SW_USAGE', 'it is: stateward artifacts list, get <id> or put <file>')
  },
}

async function list(call: VerbCall): Promise<ExitCode> {
  const client = await call.client()
  const query = { run_id: textOption(call.options, 'run'), kind: textOption(call.options, 'kind') }
  const items = await allItems(client, 'listArtifacts', query)
  if (call.options['output'] === 'json') await call.terminal.out(renderJson({ items }))
  else await call.terminal.out(items.length === 0 ? 'no artifacts\n' : tableOf(call, items))
  return 0
}

function tableOf(call: VerbCall, items: readonly ArtifactDto[]): string {
  const now = call.terminal.clock.now()
  const columns = [
    { head: 'Id' },
    { head: 'Name', shrinks: true },
    { head: 'Kind' },
    { head: 'Bytes' },
    { head: 'Age' },
  ]
  const rows = items.map((item) => [
    item.artifact_id,
    item.name,
    item.kind,
    item.sha256 === null ? 'not here yet' : String(item.byte_length),
    ageOf(item.created_at, now),
  ])
  return renderTable(columns, rows, { width: call.terminal.columns })
}

async function get(call: VerbCall, id: string): Promise<ExitCode> {
  const client = await call.client()
  const artifact = await client.call('readArtifact', { artifact_id: id })
  const file = textOption(call.options, 'file')
  if (file !== undefined)
    await pipeline(await client.download('downloadArtifact', { artifact_id: id }), createWriteStream(file))
  const where = file === undefined ? '' : ` in ${file}`
  const text = `artifact ${artifact.artifact_id} ${artifact.name}: ${artifact.byte_length ?? 0} bytes${where}\n`
  await call.terminal.out(call.options['output'] === 'json' ? renderJson(artifact) : text)
  return 0
}

async function put(call: VerbCall, file: string): Promise<ExitCode> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw fail('SW_USAGE', `${file} cannot be read`, { cause })
  })
  const client = await call.client()
  const run = textOption(call.options, 'run')
  const type = String(call.options['type'])
  const announced = await client.call('createArtifact', {
    body: {
      name: textOption(call.options, 'name') ?? basename(file),
      kind: textOption(call.options, 'kind') ?? 'file',
      content_type: type,
      byte_length: size,
      run_id: run === undefined ? null : (await client.call('readRun', { run })).run_id,
    },
  })
  const artifact = await client.upload(
    'storeArtifact',
    { artifact_id: announced.artifact_id },
    createReadStream(file),
    type,
  )
  const text = `artifact ${artifact.artifact_id} ${artifact.name}: ${size} bytes, sha256 ${artifact.sha256}\n`
  await call.terminal.out(call.options['output'] === 'json' ? renderJson(artifact) : text)
  return 0
}
