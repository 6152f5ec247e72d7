import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PARSE_OPTIONS, pointerInFile } from '../../src/build/parse-options.ts'
import { keyOf } from '../../src/kinds/resource.ts'
import { ISSUE_CODES } from '../../src/lib/issue-catalogue.ts'
import { DEFAULT_DELETION_LIMIT } from '../../src/plan/blast-radius.ts'
import { NO_OUTLOOK } from '../../src/plan/outlook/outlook.ts'
import type { Plan } from '../../src/plan/planned.ts'
import { renderTerminal } from '../../src/plan/render/terminal.ts'
import { planRevisions } from '../../src/reconcile/sync/plan-revisions.ts'
import { type GitSource, openGitSource } from '../../src/source/git/git-source.ts'
import { builtinToolRisk, builtinToolSchema } from '../../src/tools/builtins.ts'
import { BAD_MANIFESTS, type BadCase, BROKEN_CURRENT, BROKEN_V0 } from '../support/bad-manifests.ts'
import { bareRepository, commitFiles, type FileContent, scratchFolder } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'

/**
 * Every broken manifest as a commit of a real repository, planned as `stateward plan` does it. What is printed stands in
 * bad-input/<case>.txt; `npx vitest run --project integration controller/test/golden -u` writes it anew.
 */

const asIs = (text: string) => text
const PLAIN = { green: asIs, yellow: asIs, red: asIs, dim: asIs, bold: asIs }
const scratch = scratchFolder()
const repository = bareRepository(join(scratch.path, 'state.git'))
let source: GitSource

beforeAll(async () => {
  source = await openGitSource({
    name: 'state',
    repo: repository,
    ref: 'main',
    intervalMs: 60_000,
    mirrorDir: '',
    log: { info: asIs, warn: asIs, error: asIs } as never,
  })
})
afterAll(async () => {
  await source.close()
  scratch.remove()
})

async function commit(name: string, parent: string | null, files: Readonly<Record<string, FileContent>>) {
  const oid = commitFiles(repository, files, { ref: `refs/heads/${name}`, parent })
  const { tree, message, author } = await source.repository.commit(oid)
  return { commit: oid, tree, message, author }
}

async function planCase(name: string, { before = {}, files }: BadCase): Promise<Plan> {
  const from = await commit(`${name}-before`, null, { 'good.yaml': agent('good'), ...before })
  const to = await commit(name, from.commit, { 'fresh.yaml': agent('fresh'), ...files })
  return await planRevisions(source, from, to, null, {
    parse: PARSE_OPTIONS,
    pointerInFile,
    deletionLimit: DEFAULT_DELETION_LIMIT,
    builtinToolSchema,
    builtinToolRisk,
    everything: true,
  })
}

const codesOf = (plan: Plan) => [...new Set(plan.issues.map(({ code }) => code))].sort()

describe.each(Object.entries(BAD_MANIFESTS))('%s', (name, bad) => {
  test('is told with its place and a remedy, deletes nothing and stops nothing else', async () => {
    const plan = await planCase(name, bad)
    await expect(renderTerminal({ ...plan, effects: [], outlook: NO_OUTLOOK }, PLAIN)).toMatchFileSnapshot(
      `bad-input/${name}.txt`,
    )
    expect(codesOf(plan)).toEqual([...bad.codes])
    expect(plan.counts.delete).toBe(0)
    expect(plan.changes.find((change) => keyOf(change) === 'Agent/default/fresh')?.action).toBe('create')
    for (const issue of plan.issues) {
      expect(ISSUE_CODES).toHaveProperty(issue.code)
      expect(issue.hint).not.toBe('')
      expect(['good.yaml', ...Object.keys(bad.files)]).toContain(issue.file)
      expect(Object.keys(issue)).not.toContain('document')
      if (!WITHOUT_A_LINE.has(issue.code))
        expect(issue).toMatchObject({ line: expect.any(Number), column: expect.any(Number) })
    }
  })
})

/** What concerns a file as a whole. */
const WITHOUT_A_LINE = new Set([
  'SW_FILE_TOO_LARGE',
  'SW_FILE_BINARY',
  'SW_FILE_ENCODING',
  'SW_TOO_MANY_DOCUMENTS',
  'SW_SYMLINK',
  'SW_SUBMODULE',
])

test('the broken blueprints of the first format are told apart by their codes', () => {
  const own = Object.values(BROKEN_V0).map(({ codes }) => codes.find((code) => code !== 'SW_UNKNOWN_FIELD'))
  expect(new Set(own).size).toBe(8)
})

test('the same mistakes in the current format are told apart by their words', async () => {
  const told = await Promise.all(
    Object.entries(BROKEN_CURRENT).map(async ([name, bad]) => {
      const [issue] = (await planCase(`words-${name}`, bad)).issues
      return `${issue!.code}: ${issue!.message}`
    }),
  )
  expect(new Set(told).size).toBe(8)
})

/** Said of a sound document whose change waits, or of a whole commit: no case of a bad document. */
const OF_CHANGES = [
  'SW_APPROVAL_REQUIRED',
  'SW_COMMIT_UNSIGNED',
  'SW_POLICY_DENIED',
  'SW_OUTSIDE_WINDOW',
  // Takes a cluster beside the repository.
  'SW_SOURCE_CONFLICT',
]

test('every code an issue may carry is shown by a case', () => {
  expect(
    Object.keys(ISSUE_CODES).filter(
      (code) => !OF_CHANGES.includes(code) && !Object.values(BAD_MANIFESTS).some(({ codes }) => codes.includes(code)),
    ),
  ).toEqual([])
})

test('no golden file is left of a case that is gone', () => {
  const files = readdirSync(new URL('bad-input/', import.meta.url)).filter((name) => !name.startsWith('repository-'))
  expect(files.sort()).toEqual(
    Object.keys(BAD_MANIFESTS)
      .map((name) => `${name}.txt`)
      .sort(),
  )
})
