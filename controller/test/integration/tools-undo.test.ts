import { chmod, lstat, mkdir, readFile, readlink, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

let stack: ToolStack
let outside: ToolStack
let n = 0
beforeEach(async () => {
  stack = await startToolStack()
  outside = await startToolStack()
  await writeFile(join(outside.workspace, 'secret'), 'not yours')
})
afterEach(async () => {
  await stack.close()
  await outside.close()
})

const at = (...parts: string[]) => join(stack.workspace, ...parts)
/** Calls it under an operation of its own; its id. */
async function did(tool: string, parameters: JsonObject): Promise<string> {
  const operationId = `run-1/step/${++n}`
  await stack.call(tool, parameters, { operationId })
  return operationId
}
const undo = (call: string, actor = 'user:ada') => stack.call('tool.undo', { call }, { actor })
const there = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

describe('a call of a file tool that is taken back', () => {
  it('brings an overwritten file back with its mode, and removes one that was not there', async () => {
    await writeFile(at('a.sh'), 'old')
    await chmod(at('a.sh'), 0o750)
    const one = await did('fs.write', { path: 'a.sh', content: 'new' })
    const two = await did('fs.write', { path: 'dir/b', content: 'b' })
    expect(await undo(one)).toMatchObject({ tool: 'fs.write', undone: true })
    expect([await readFile(at('a.sh'), 'utf8'), (await lstat(at('a.sh'))).mode & 0o777]).toEqual(['old', 0o750])
    await undo(two)
    expect(await there(at('dir/b'))).toBe(false)
    expect(await undo(two)).toMatchObject({ already: true })
  })

  it('knows how it was before the first of several tries of one operation', async () => {
    await writeFile(at('a'), 'old')
    const operationId = 'run-1/again/1'
    await stack.call('fs.write', { path: 'a', content: 'new' }, { operationId })
    await stack.call('fs.write', { path: 'a', content: 'new' }, { operationId })
    await undo(operationId)
    expect(await readFile(at('a'), 'utf8')).toBe('old')
  })

  it('brings deleted files and folders back, but not over what stands there now', async () => {
    await mkdir(at('d/e'), { recursive: true })
    await writeFile(at('d/e/f'), 'deep')
    await symlink('f', at('d/e/l'))
    await expect(stack.call('fs.delete', { path: 'd' })).rejects.toMatchObject({
      remedy: expect.stringContaining('recursive'),
    })
    const gone = await did('fs.delete', { path: 'd', recursive: true })
    expect(await there(at('d'))).toBe(false)
    await writeFile(at('d'), 'in the way')
    await expect(undo(gone)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await rename(at('d'), at('elsewhere'))
    await undo(gone)
    expect([await readFile(at('d/e/f'), 'utf8'), await readlink(at('d/e/l'))]).toEqual(['deep', 'f'])
  })

  it('moves back what was moved, with what it replaced', async () => {
    await writeFile(at('a'), 'a')
    await writeFile(at('b'), 'b')
    await expect(stack.call('fs.move', { from: 'a', to: 'b' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    const moved = await did('fs.move', { from: 'a', to: 'b', overwrite: true })
    expect([await there(at('a')), await readFile(at('b'), 'utf8')]).toEqual([false, 'a'])
    await undo(moved)
    expect([await readFile(at('a'), 'utf8'), await readFile(at('b'), 'utf8')]).toEqual(['a', 'b'])
  })

  it('takes folders and links away that were made, as long as they are empty', async () => {
    const made = await did('fs.mkdir', { path: 'x/y' })
    const linked = await did('fs.symlink', { path: 'l', target: 'x/y' })
    expect(await readlink(at('l'))).toBe('x/y')
    await undo(linked)
    expect(await there(at('l'))).toBe(false)
    await writeFile(at('x/y/kept'), '')
    await expect(undo(made)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await rename(at('x/y/kept'), at('kept'))
    await undo(made)
    expect(await there(at('x'))).toBe(false)
  })

  it('is nothing another agent can take back, and nothing that is not kept', async () => {
    const operationId = 'run-1/own/1'
    await stack.call('fs.write', { path: 'a', content: 'a' }, { operationId, actor: 'agent:default/one' })
    await expect(undo(operationId, 'agent:default/two')).rejects.toMatchObject({ ref: 'SW_NOT_FOUND' })
    await expect(undo('run-1/none/1')).rejects.toMatchObject({ ref: 'SW_NOT_FOUND' })
    expect(await undo(operationId, 'agent:default/one')).toMatchObject({ undone: true })
  })
})

describe('file tools', () => {
  it('list folders and say what stands where', async () => {
    await mkdir(at('d'))
    await writeFile(at('d/f'), '12345')
    expect(await stack.call('fs.list', { recursive: true })).toMatchObject({
      entries: [
        { path: 'd', type: 'folder' },
        { path: 'd/f', type: 'file', bytes: 5 },
      ],
    })
    expect(await stack.call('fs.stat', { path: 'd/f' })).toMatchObject({ exists: true, type: 'file', bytes: 5 })
    expect(await stack.call('fs.stat', { path: 'no/where' })).toMatchObject({ exists: false })
  })

  it('lead nowhere outside of the workspace, by dots, links or swapped folders', async () => {
    await symlink(outside.workspace, at('out'))
    await symlink(join(outside.workspace, 'secret'), at('file'))
    const escapes = { ref: 'SW_PATH_ESCAPES' }
    for (const [tool, parameters] of [
      ['fs.list', { path: 'out' }],
      ['fs.list', { path: '..' }],
      ['fs.stat', { path: 'out/secret' }],
      ['fs.delete', { path: 'out/secret' }],
      ['fs.delete', { path: '../x' }],
      ['fs.move', { from: 'out/secret', to: 'mine' }],
      ['fs.move', { from: 'file', to: 'out/x' }],
      ['fs.mkdir', { path: 'out/x' }],
      ['fs.symlink', { path: 'l', target: '../../etc/passwd' }],
      ['fs.symlink', { path: 'l', target: '/etc/passwd' }],
      ['fs.symlink', { path: 'out/l', target: 'x' }],
      ['fs.write', { path: 'out/x', content: '' }],
      ['fs.write', { path: 'file', content: '' }],
      ['fs.write', { path: 'a/.git/config', content: '' }],
      ['fs.delete', { path: '.GIT', recursive: true }],
    ] as const)
      await expect(stack.call(tool, parameters), JSON.stringify([tool, parameters])).rejects.toMatchObject(escapes)
    expect(await readFile(join(outside.workspace, 'secret'), 'utf8')).toBe('not yours')
    // A link itself may be taken away.
    await stack.call('fs.delete', { path: 'out' })
    expect(await readFile(join(outside.workspace, 'secret'), 'utf8')).toBe('not yours')
  })
})
