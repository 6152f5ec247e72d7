import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { load } from 'js-yaml'

const SUITE = join(import.meta.dirname, '../../../node_modules/@modelcontextprotocol/conformance/dist/index.js')

export interface ScenarioResult {
  readonly scenario: string
  /** What did not hold, in the suite's words. */
  readonly failures: readonly string[]
}

/** What a revision requires of a server, by the suite's own frozen list; the rest it runs is not scored. */
export async function requiredOf(revision: string): Promise<readonly string[]> {
  const text = await readFile(join(dirname(SUITE), '../requirements', `${revision}.yaml`), 'utf8')
  return (load(text) as { server: string[] }).server
}

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

/** Runs the official suite: every scenario that a revision requires of a server, at the wire of that revision. */
export async function conformance(url: string, revision: string): Promise<readonly ScenarioResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-conformance-'))
  try {
    // It ends with 1 when a scenario fails: what it wrote says which.
    await new Promise<void>((resolve) => {
      const args = [SUITE, 'server', '--url', url, '--requirements', revision, '--output-dir', folder]
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, () => resolve())
    })
    const names = (await readdir(folder)).sort()
    return Promise.all(
      names.map(async (name) => {
        const checks = JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')) as Check[]
        return {
          scenario: name.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T.*$/, ''),
          failures: checks
            .filter(({ status }) => status === 'FAILURE')
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
