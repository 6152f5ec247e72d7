import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { load } from 'js-yaml'

const SUITE = join(import.meta.dirname, '../../../node_modules/@modelcontextprotocol/conformance/dist/index.js')

const CLIENT = join(import.meta.dirname, 'mcp-client-process.ts')

export interface ScenarioResult {
  readonly scenario: string
  /** What did not hold, in the suite's words. */
  readonly failures: readonly string[]
}

/** What a revision requires, by the suite's own frozen list; the rest it runs is not scored. */
export async function requiredOf(revision: string, of: 'server' | 'client' = 'server'): Promise<readonly string[]> {
  const text = await readFile(join(dirname(SUITE), '../requirements', `${revision}.yaml`), 'utf8')
  return (load(text) as { server: string[]; client: string[] })[of]
}

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

/** Runs the official suite: every scenario that a revision requires of a server, at the wire of that revision. */
export const conformance = (url: string, revision: string): Promise<readonly ScenarioResult[]> =>
  run(['server', '--url', url, '--requirements', revision])

/**
 * The same of a client: the suite starts ours for each scenario, all of them at once. Some look at the clock; what fails in that
 * crowd is run once more by itself.
 */
export async function clientConformance(revision: string): Promise<readonly ScenarioResult[]> {
  const client = ['client', '--command', `${process.execPath} ${CLIENT}`, '--timeout', '120000']
  const results = await run([...client, '--requirements', revision])
  const again: ScenarioResult[] = []
  for (const result of results) {
    const alone = [...client, '--scenario', result.scenario, '--spec-version', revision]
    const [second] = result.failures.length === 0 ? [] : await run(alone)
    again.push(second === undefined ? result : { ...second, scenario: result.scenario })
  }
  return again
}

async function run(words: readonly string[]): Promise<readonly ScenarioResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-conformance-'))
  try {
    // It ends with 1 when a scenario fails: what it wrote says which.
    await new Promise<void>((resolve) => {
      const args = [SUITE, ...words, '--output-dir', folder]
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, () => resolve())
    })
    const files = (await readdir(folder, { recursive: true })).filter((path) => basename(path) === 'checks.json').sort()
    return await Promise.all(
      files.map(async (file) => {
        const checks = JSON.parse(await readFile(join(folder, file), 'utf8')) as Check[]
        return {
          scenario: dirname(file)
            .replace(/^server-/, '')
            .replace(/-\d{4}-\d{2}-\d{2}T.*$/, ''),
          failures: checks
            .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
            .map(({ id, errorMessage = '' }) => `${id}: ${errorMessage}`),
        }
      }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Scenarios that need no tools, prompts or resources of the suite's own names, by revision. */
export const FIXTURE_FREE: Readonly<Record<string, readonly string[]>> = {
  '2025-11-25': [
    'server-initialize',
    'ping',
    'tools-list',
    'resources-list',
    'dns-rebinding-protection',
    'server-sse-multiple-streams',
  ],
  '2026-07-28': [
    'tools-list',
    'resources-list',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
    'http-header-validation',
    'input-required-result-unsupported-methods',
  ],
}
