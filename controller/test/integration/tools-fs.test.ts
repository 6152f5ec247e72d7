import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

let outside: ToolStack
let stack: ToolStack

beforeEach(async () => {
  stack = await startToolStack()
  outside = await startToolStack()
  await writeFile(join(outside.workspace, 'secret'), 'not yours')
})

afterEach(async () => {
  await stack.close()
  await outside.close()
})

describe('fs.write and fs.read', () => {
  test('write a file with its folders and read it back', async () => {
    const written = await stack.call('fs.write', { path: 'a/b/c.txt', content: 'grüße\n' })
    expect(written).toEqual({ path: 'a/b/c.txt', bytes: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await stack.call('fs_read', { path: './a/../a/b/c.txt' })).toEqual({
      path: 'a/b/c.txt',
      content: 'grüße\n',
      bytes: 8,
    })
    expect(await readdir(join(stack.workspace, 'a/b'))).toEqual(['c.txt'])
  })

  test('carry bytes as base64, and say so when a text is wanted', async () => {
    await stack.call('fs_write', { path: 'x', content: '//79', encoding: 'base64' })
    expect(await stack.call('fs.read', { path: 'x', encoding: 'base64' })).toMatchObject({ content: '//79', bytes: 3 })
    await expect(stack.call('fs.read', { path: 'x' })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      remedy: expect.stringContaining('base64'),
    })
  })

  test('replace a file as a whole and keep its mode', async () => {
    const file = join(stack.workspace, 'run.sh')
    await writeFile(file, 'old')
    await chmod(file, 0o750)
    await link(file, join(stack.workspace, 'other-name'))
    await stack.call('fs.write', { path: 'run.sh', content: 'new' })
    expect((await stat(file)).mode & 0o777).toBe(0o750)
    expect(await readFile(join(stack.workspace, 'other-name'), 'utf8')).toBe('old')
  })

  test.each(['../secret', '/etc/passwd', 'a/../../secret', '..'])('%s is outside by its text', async (path) => {
    await expect(stack.call('fs.read', { path })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
    await expect(stack.call('fs.write', { path, content: 'x' })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
  })

  test('a link out of the workspace is refused, as the file, as a folder and to nowhere', async () => {
    await symlink(join(outside.workspace, 'secret'), join(stack.workspace, 'file'))
    await symlink(outside.workspace, join(stack.workspace, 'folder'))
    await symlink(join(outside.workspace, 'not-there'), join(stack.workspace, 'nowhere'))
    for (const path of ['file', 'folder/secret', 'nowhere/x', 'folder/new/x']) {
      await expect(stack.call('fs.read', { path })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
      await expect(stack.call('fs.write', { path, content: 'x' })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
    }
    await expect(stack.call('fs.write', { path: 'nowhere', content: 'x' })).rejects.toMatchObject({
      ref: 'SW_PATH_ESCAPES',
    })
    expect(await readdir(outside.workspace)).toEqual(['secret'])
    expect(await readFile(join(outside.workspace, 'secret'), 'utf8')).toBe('not yours')
  })

  test('a link to a folder of the workspace is followed', async () => {
    await mkdir(join(stack.workspace, 'real'))
    await symlink('real', join(stack.workspace, 'alias'))
    await stack.call('fs.write', { path: 'alias/x', content: 'y' })
    expect(await readFile(join(stack.workspace, 'real/x'), 'utf8')).toBe('y')
  })

  test('what is no file, is not there or is too large fails without waiting', async () => {
    await mkdir(join(stack.workspace, 'folder'))
    execFileSync('mkfifo', [join(stack.workspace, 'pipe')])
    await writeFile(join(stack.workspace, 'big'), Buffer.alloc(1024 * 1024))
    await expect(stack.call('fs.read', { path: 'folder' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    await expect(stack.call('fs.read', { path: 'pipe' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    await expect(stack.call('fs.read', { path: 'none/such' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    await expect(stack.call('fs.read', { path: 'none' })).rejects.toThrow('does not exist')
    await expect(stack.call('fs.read', { path: 'big' })).rejects.toMatchObject({ ref: 'SW_OUTPUT_TOO_LARGE' })
    await expect(stack.call('fs.write', { path: 'folder', content: '' })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
    await expect(stack.call('fs.write', { path: '.', content: '' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    await expect(stack.call('fs.write', { path: 'a\0b', content: '' })).rejects.toMatchObject({
      ref: 'SW_INVALID_TEXT',
    })
  })
})
