import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { bareRepository, commitFiles, git, scratchFolder, serveHttp } from '../support/git-remote.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

const kept: { name: string; kind: string; text: string }[] = []
let stack: ToolStack
const folder = scratchFolder()
beforeAll(async () => {
  stack = await startToolStack({}, async ({ name, kind, content }) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    kept.push({ name, kind, text: Buffer.concat(chunks).toString() })
    return { artifact_id: uuidv7(), bytes: 0, sha256: '' }
  })
})
afterAll(async () => {
  await stack.close()
  folder.remove()
})

const run = uuidv7()
const call = async (tool: string, parameters: JsonObject, operationId = `${run}/step/${Math.random()}`) =>
  (await stack.call(tool, parameters, { operationId })) as Record<string, Json>

describe('git in the workspace', () => {
  it('commits with the id of the run, keeps the patch, and says what was done', async () => {
    await call('git.repo.init', { dir: 'repo' })
    await call('fs.write', { path: 'repo/a.txt', content: 'one\n' })
    const operation = `${run}/commit/1`
    const first = await call('git.commit', { dir: 'repo', message: 'Add a\n\nBecause.' }, operation)
    expect(first).toMatchObject({ files: ['a.txt'], run, artifact_id: expect.any(String) })
    expect(kept.at(-1)).toMatchObject({ kind: 'patch', text: expect.stringContaining('+one') })
    // Asked again after a crash, it finds what it did.
    expect(await call('git.commit', { dir: 'repo', message: 'Add a\n\nBecause.' }, operation)).toMatchObject({
      commit: first['commit'],
    })
    await call('git.checkout', { dir: 'repo', ref: 'work', create: true })
    await call('fs.write', { path: 'repo/a.txt', content: 'two\n' })
    expect(await call('git.diff', { dir: 'repo' })).toMatchObject({
      files: ['a.txt'],
      patch: expect.stringContaining('+two'),
    })
    await call('git.commit', { dir: 'repo', message: 'Change a' })
    const { commits } = await call('git.log', { dir: 'repo' })
    expect(commits).toMatchObject([
      { subject: 'Change a', run },
      { subject: 'Add a', run, commit: first['commit']! },
    ])
    await call('git.checkout', { dir: 'repo', ref: 'main' })
    expect(await call('fs.read', { path: 'repo/a.txt' })).toMatchObject({ content: 'one\n' })
    await expect(call('git.commit', { dir: 'repo', message: 'Nothing' })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
  })

  it('takes a commit back as long as nothing follows it', async () => {
    const at = join(stack.workspace, 'repo')
    const before = git(at, ['rev-parse', 'HEAD'])
    await call('fs.write', { path: 'repo/b', content: 'b' })
    const [one, two] = [`${run}/one/1`, `${run}/two/1`]
    await call('git.commit', { dir: 'repo', message: 'b' }, one)
    await call('fs.write', { path: 'repo/c', content: 'c' })
    await call('git.commit', { dir: 'repo', message: 'c' }, two)
    await expect(call('tool.undo', { call: one })).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await call('tool.undo', { call: two })
    await call('tool.undo', { call: one })
    expect(git(at, ['rev-parse', 'HEAD'])).toBe(before)
  })

  it('clones over http, and runs nothing that a repository brings', async () => {
    const bare = bareRepository(join(folder.path, 'remote.git'))
    commitFiles(bare, { 'x.txt': 'x' })
    const remote = await serveHttp(folder.path)
    await call('git.repo.clone', { url: remote.url('remote.git'), dir: 'clone' })
    expect(await call('fs.read', { path: 'clone/x.txt' })).toMatchObject({ content: 'x' })
    await remote.close()
    const hook = join(stack.workspace, 'clone/.git/hooks/pre-commit')
    await call('process.run', { command: ['mkdir', '-p', 'clone/.git/hooks'] })
    await writeFile(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    await call('fs.write', { path: 'clone/y', content: 'y' })
    expect(await call('git.commit', { dir: 'clone', message: 'y' })).toMatchObject({ files: ['y'] })
  })

  it('is no way out of the workspace, and takes no options for names', async () => {
    for (const dir of ['../x', '/etc'])
      await expect(call('git.log', { dir })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
    for (const ref of ['--output=/tmp/x', '-b']) {
      await expect(call('git.checkout', { dir: 'repo', ref })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
      await expect(call('git.diff', { dir: 'repo', from: ref })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    }
    for (const url of ['ext::sh -c touch% pwned', 'file:///etc', '--upload-pack=x'])
      await expect(call('git.repo.clone', { url, dir: 'z' })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })
})
