import { spawn } from 'node:child_process'
import { Ajv, type ValidateFunction } from 'ajv'
import { loadAll } from 'js-yaml'
import { KINDS } from '../../controller/src/kinds/registry.ts'
import { digestOf } from '../../controller/src/lib/digest.ts'
import { answer } from '../support/child-process.ts'
import { cpuSecondsSince } from '../support/cpu-time.ts'
import { peakMemory } from '../support/process-memory.ts'
import { BRANCH } from './state-repo.ts'

/**
 * The least that any controller has to do with the documents of a repo, and nothing else: list the tree, read the blobs,
 * parse the YAML, check the schema, digest the result. No state is kept but the digests; no database.
 */

export interface FloorResult {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly documents: number
  readonly peakBytes: number | null
}

answer(async (message) => {
  const { gitDir } = message as { gitDir: string }
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const documents = await run(gitDir)
  const seconds = (performance.now() - startedMs) / 1000
  const cpuSeconds = cpuSecondsSince(cpuBefore)
  setImmediate(() => process.disconnect())
  return { seconds, cpuSeconds, documents, peakBytes: peakMemory(process.pid) } satisfies FloorResult
})

async function run(gitDir: string): Promise<number> {
  const listing = await output(gitDir, ['ls-tree', '-r', '-z', BRANCH])
  const oids = listing
    .toString('utf8')
    .split('\0')
    .flatMap((line) => (line.endsWith('.yaml') ? [line.slice(12, 52)] : []))
  const validators = new Map<string, ValidateFunction>()
  const digests: string[] = []
  await readBlobs(gitDir, oids, (text) => {
    for (const document of loadAll(text) as { kind: string; spec: object }[]) {
      const validate = validators.get(document.kind) ?? compile(document.kind)
      validators.set(document.kind, validate)
      if (!validate(document.spec))
        throw new Error(`a generated document is not valid: ${JSON.stringify(validate.errors)}`)
      digests.push(digestOf(document.spec))
    }
  })
  return digests.length
}

function compile(kind: string): ValidateFunction {
  const definition = KINDS.find((known) => known.kind === kind)
  if (definition === undefined) throw new Error(`there is no kind ${kind}`)
  return new Ajv({ strict: false, validateFormats: false }).compile(definition.spec)
}

function output(gitDir: string, args: readonly string[]): Promise<Buffer> {
  const child = spawn('git', [`--git-dir=${gitDir}`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('end', () => resolve(Buffer.concat(chunks)))
  })
}

/** `<oid> blob <size>\n<bytes>\n`, one after the other; git goes on reading while the last ones are parsed here. */
async function readBlobs(gitDir: string, oids: readonly string[], each: (text: string) => void): Promise<void> {
  const child = spawn('git', [`--git-dir=${gitDir}`, 'cat-file', '--batch', '--buffer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(`${oids.join('\n')}\n`)
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const headerEnd = data.indexOf(0x0a, at)
      if (headerEnd < 0) break
      const size = Number(data.toString('latin1', at, headerEnd).split(' ')[2])
      const end = headerEnd + 1 + size
      if (end + 1 > data.length) break
      each(data.toString('utf8', headerEnd + 1, end))
      at = end + 1
    }
    rest = data.subarray(at)
  }
}
