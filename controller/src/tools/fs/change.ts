import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import type { Undo } from '../undo/undo.ts'
import { inFolder, missingPath, notOfGit, standsAt } from './at.ts'
import { isThere, keepFile, putBack, putFileBack, takeAway } from './copies.ts'
import { escapes, plainPath } from './inside.ts'

/** Moving, removing and linking; each can be taken back. */

const path = (description: string): JsonObject => ({ type: 'string', minLength: 1, maxLength: 4096, description })
const TAKEN = 'taken'
const REPLACED = 'replaced'

async function remove(call: Invocation): Promise<Json> {
  const { path, recursive = false } = call.parameters as { path: string; recursive?: boolean }
  const folder = await call.undo.folder()
  return await inFolder(call.workspace, path, { make: false }, async (place) => {
    const stat = await standsAt(place)
    if (stat === null) {
      // The call before it took it away, and its process did not live to say so.
      if (await isThere(join(folder, TAKEN))) return { path: place.plain, deleted: true }
      throw missingPath(path)
    }
    if (stat.isDirectory() && !recursive)
      throw fail('SW_TOOL_FAILED', `${place.plain} is a folder`, { remedy: 'say recursive: true to delete all of it' })
    await call.undo.keep({ path: place.plain })
    await takeAway(place, folder, TAKEN)
    return { path: place.plain, deleted: true }
  })
}

export const undoDelete: Undo = async ({ workspace, record }, copies) => {
  const { path } = record as { path: string }
  await inFolder(workspace, path, { make: true }, (place) => putBack(place, copies, TAKEN))
  return { path, restored: 'it is there again' }
}

const shape = { type: 'object', additionalProperties: false } as const
const done = (...names: string[]): JsonObject => ({ type: 'object', required: names })
const cost = { estimatedCents: 0, estimatedLatencyMs: 10 }
const common = { risk: 'medium', sideEffects: 'reversible', idempotent: true, timeout: '60s', cost } as const

export const fsDelete: BuiltinTool = {
  ...common,
  name: 'fs.delete',
  aliases: ['fs_delete'],
  description: 'Deletes a file or link of the workspace, with recursive: true a folder and all in it.',
  inputSchema: {
    ...shape,
    required: ['path'],
    properties: { path: path('A file, link or folder.'), recursive: { type: 'boolean' } },
  },
  outputSchema: done('path', 'deleted'),
  run: remove,
}

async function move(call: Invocation): Promise<Json> {
  const { from, to, overwrite = false } = call.parameters as { from: string; to: string; overwrite?: boolean }
  if (`${plainPath(to)}/`.startsWith(`${plainPath(from)}/`))
    throw fail('SW_TOOL_FAILED', `${to} lies in ${from}, or is the same`)
  return await inFolder(call.workspace, from, { make: false }, async (source) => {
    return await inFolder(call.workspace, to, { make: true }, async (target) => {
      const [moved, there] = [await standsAt(source), await standsAt(target)]
      if (moved === null) throw missingPath(from)
      if (there !== null && !overwrite)
        throw fail('SW_TOOL_FAILED', `${target.plain} is there`, { remedy: 'say overwrite: true to replace a file' })
      if (there !== null && (!there.isFile() || !moved.isFile()))
        throw fail('SW_TOOL_FAILED', `${target.plain} cannot be replaced: only a file replaces a file`)
      if (there !== null) await keepFile(target, await call.undo.folder(), REPLACED)
      const mode = there === null ? null : Number(there.mode) & 0o777
      await call.undo.keep({ from: source.plain, to: target.plain, mode })
      await rename(source.at, target.at)
      return { from: source.plain, to: target.plain }
    })
  })
}

export const undoMove: Undo = async ({ workspace, record }, copies) => {
  const { from, to, mode } = record as { from: string; to: string; mode: number | null }
  return await inFolder(workspace, from, { make: true }, async (source) => {
    return await inFolder(workspace, to, { make: true }, async (target) => {
      if (!(await isThere(source.at))) await rename(target.at, source.at)
      else if (mode === null && (await isThere(target.at)))
        throw fail('SW_CONFLICT', `${from} is there again: what stands there is not overwritten`)
      if (mode !== null) await putFileBack(target, copies, REPLACED, mode)
      return { from: to, to: from, restored: 'both are as they were' }
    })
  })
}

export const fsMove: BuiltinTool = {
  ...common,
  // Made again after a crash, it would not find what it moved before.
  idempotent: false,
  name: 'fs.move',
  aliases: ['fs_move'],
  description: 'Moves or renames a file or folder of the workspace.',
  inputSchema: {
    ...shape,
    required: ['from', 'to'],
    properties: {
      from: path('What is moved.'),
      to: path('Where to; missing folders are made.'),
      overwrite: { type: 'boolean', description: 'Whether a file that is there is replaced. Default: false.' },
    },
  },
  outputSchema: done('from', 'to'),
  run: move,
}

async function link(call: Invocation): Promise<Json> {
  const { path, target } = call.parameters as { path: string; target: string }
  return await inFolder(call.workspace, path, { make: true }, async (place) => {
    if (isAbsolute(target)) throw escapes(target)
    // Where the text leads, seen from the workspace; what stands there is checked when it is followed.
    const inside = plainPath(join(dirname(place.plain), target))
    notOfGit(inside)
    const text = relative(dirname(place.plain), inside)
    const stat = await standsAt(place)
    if (stat?.isSymbolicLink() === true && (await readlink(place.at)) === text)
      return { path: place.plain, target: text }
    if (stat !== null) throw fail('SW_TOOL_FAILED', `${place.plain} is there`, { remedy: 'delete it first' })
    await call.undo.keep({ path: place.plain })
    await symlink(text, place.at)
    return { path: place.plain, target: text }
  })
}

export const undoLink: Undo = async ({ workspace, record }) => {
  const { path } = record as { path: string }
  return await inFolder(workspace, path, { make: true }, async ({ at }) => {
    if ((await isThere(at)) && (await lstat(at)).isSymbolicLink()) await rm(at)
    return { path, restored: 'it is gone again' }
  })
}

export const fsSymlink: BuiltinTool = {
  ...common,
  name: 'fs.symlink',
  aliases: ['fs_symlink'],
  description: 'Makes a symbolic link in the workspace that leads to a place in the workspace.',
  inputSchema: {
    ...shape,
    required: ['path', 'target'],
    properties: { path: path('The link.'), target: path('Where it leads, seen from the folder of the link.') },
  },
  outputSchema: done('path', 'target'),
  run: link,
}
