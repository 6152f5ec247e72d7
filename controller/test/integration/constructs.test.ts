import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load, loadAll } from 'js-yaml'
import { expect, it } from 'vitest'
import * as sdk from '../../../sdk/constructs/src/index.ts'
import { KINDS } from '../../src/kinds/registry.ts'
import { packageRoot } from '../../src/lib/package-root.ts'

const { Agent, ModelProvider, manifests } = sdk
const run = promisify(execFile)

/** Exit code and output of `stateward validate` on a folder that holds one file. */
async function validate(text: string): Promise<{ readonly code: number; readonly said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-constructs-'))
  try {
    await writeFile(join(folder, 'all.yaml'), text)
    const main = join(packageRoot(), 'controller/src/main.ts')
    const { stdout } = await run(process.execPath, [main, 'validate', folder])
    return { code: 0, said: stdout }
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string }
    return { code, said: stdout }
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('every kind has a construct', () => {
  expect(KINDS.map(({ kind }) => kind).filter((kind) => !(kind in sdk))).toEqual([])
})

it('what was written in types is rendered as it was written', () => {
  const text = manifests((chart) => {
    new Agent(chart, 'one', {
      metadata: { name: 'one', namespace: 'prod', labels: { team: 'platform' } },
      spec: { runtime: { process: { command: ['true'] } }, replicas: 2 },
    })
    new ModelProvider(chart, 'local', { metadata: { name: 'local' }, spec: { type: 'ollama' } })
  })
  expect(loadAll(text)).toEqual([
    {
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: 'one', namespace: 'prod', labels: { team: 'platform' } },
      spec: { runtime: { process: { command: ['true'] } }, replicas: 2 },
    },
    {
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'ModelProvider',
      metadata: { name: 'local' },
      spec: { type: 'ollama' },
    },
  ])
})

it('the types refuse what is misspelt, and metadata that a kind does not have', () => {
  manifests((chart) => {
    // @ts-expect-error an Agent has no replica
    new Agent(chart, 'a', { metadata: { name: 'a' }, spec: { replica: 2 } })
    // @ts-expect-error no such policy
    new Agent(chart, 'b', { metadata: { name: 'b' }, spec: { restartPolicy: 'Sometimes' } })
    // @ts-expect-error every environment sees a provider
    new ModelProvider(chart, 'c', { metadata: { name: 'c', namespace: 'prod' }, spec: { type: 'ollama' } })
  })
})

it('the example is accepted, and what is wrong with another is found', async () => {
  const folder = join(packageRoot(), 'state-repo/typescript')
  const text = await readFile(join(folder, 'rendered/fleet.yaml'), 'utf8')
  expect(await validate(text)).toEqual({ code: 0, said: '8 objects: nothing wrong\n' })
  const broken = await validate(text.replace('name: regions\n', 'name: other\n'))
  expect(broken.code).toBe(1)
  expect(broken.said).toContain('regions')
  const { version } = load(await readFile(join(packageRoot(), 'sdk/constructs/package.json'), 'utf8')) as {
    version: string
  }
  const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  expect(dependencies['stateward-constructs']).toBe(`^${version}`)
}, 30_000)
