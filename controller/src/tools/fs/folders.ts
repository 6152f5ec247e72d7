import { readdir, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import type { Undo } from '../undo/undo.ts'
import { inFolder, missingPath, notOfGit, standsAt } from './at.ts'
import { errorCode, plainPath, realFolder } from './inside.ts'

const MAX_ENTRIES = 5000
const path = (description: string): JsonObject => ({ type: 'string', minLength: 1, maxLength: 4096, description })

async function list(call: Invocation): Promise<Json> {
  const { path = '.', recursive = false } = call.parameters as { path?: string; recursive?: boolean }
  const plain = plainPath(path)
  const root = join(plain, '.')
  // Through the folder's own entry: a link out of the workspace is met on the way and refused.
  const { folder, missing } = await realFolder(call.workspace, join(plain, 'entry'))
  if (missing.length > 0) throw missingPath(path)
  const found: JsonObject[] = []
  const open: string[] = ['']
  while (open.length > 0 && found.length < MAX_ENTRIES) {
    const at = open.shift()!
    const entries = await readdir(join(folder, at), { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= MAX_ENTRIES) break
      const below = at === '' ? entry.name : `${at}/${entry.name}`
      const type = entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other'
      const size = type === 'file' ? { bytes: (await stat(join(folder, below))).size } : {}
      found.push({ path: below, type, ...size })
      if (recursive && type === 'folder' && entry.name !== '.git') open.push(below)
    }
  }
  return { path: root, entries: found, truncated: found.length >= MAX_ENTRIES }
}

export const fsList: BuiltinTool = {
  name: 'fs.list',
  aliases: ['fs_list'],
  description: `Lists a folder of the workspace: at most ${MAX_ENTRIES} entries.`,
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { path: path('The folder. Default: the workspace.'), recursive: { type: 'boolean' } },
  },
  outputSchema: {
    type: 'object',
    required: ['path', 'entries', 'truncated'],
    properties: { path: { type: 'string' }, entries: { type: 'array' }, truncated: { type: 'boolean' } },
  },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 10 },
  timeout: '30s',
  run: list,
}

async function look(call: Invocation): Promise<Json> {
  const plain = plainPath((call.parameters as { path: string }).path)
  if ((await realFolder(call.workspace, plain)).missing.length > 0) return { path: plain, exists: false }
  return await inFolder(call.workspace, plain, { make: false }, async (place) => {
    const stat = await standsAt(place)
    if (stat === null) return { path: plain, exists: false }
    const type = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other'
    const mode = (Number(stat.mode) & 0o777).toString(8)
    const bytes = type === 'file' ? { bytes: Number(stat.size) } : {}
    return { path: plain, exists: true, type, ...bytes, mode, modified: stat.mtime.toISOString() }
  })
}

export const fsStat: BuiltinTool = {
  name: 'fs.stat',
  aliases: ['fs_stat'],
  description: 'Says what stands at a path of the workspace, if anything.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: { path: path('A file or folder.') },
  },
  outputSchema: {
    type: 'object',
    required: ['path', 'exists'],
    properties: { path: { type: 'string' }, exists: { type: 'boolean' }, type: { type: 'string' } },
  },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 10 },
  timeout: '30s',
  run: look,
}

async function make(call: Invocation): Promise<Json> {
  const plain = plainPath((call.parameters as { path: string }).path)
  notOfGit(plain)
  const { missing } = await realFolder(call.workspace, join(plain, 'entry'))
  const parts = plain.split('/')
  const made = missing.map((_, i) => parts.slice(0, parts.length - missing.length + i + 1).join('/'))
  await call.undo.keep({ made })
  await inFolder(call.workspace, join(plain, 'entry'), { make: true }, async () => undefined)
  return { path: plain, created: made.length > 0 }
}

/** Those that are still empty; what was put into them since is not taken away. */
export const undoMake: Undo = async ({ workspace, record }) => {
  const { made } = record as { made: string[] }
  const removed: string[] = []
  for (const one of made.toReversed()) {
    await inFolder(workspace, one, { make: false }, async ({ at }) => {
      await rmdir(at)
      removed.push(one)
    }).catch((error: unknown) => {
      if (errorCode(error) === 'ENOTEMPTY') throw fail('SW_CONFLICT', `${one} is not empty any more`)
      if (errorCode(error) !== 'ENOENT' && !(error instanceof Error && 'ref' in error)) throw error
    })
  }
  return { removed }
}

export const fsMkdir: BuiltinTool = {
  name: 'fs.mkdir',
  aliases: ['fs_mkdir'],
  description: 'Makes a folder of the workspace, with those above it.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: { path: path('The folder.') },
  },
  outputSchema: {
    type: 'object',
    required: ['path', 'created'],
    properties: { path: { type: 'string' }, created: { type: 'boolean' } },
  },
  risk: 'low',
  sideEffects: 'reversible',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 10 },
  timeout: '30s',
  run: make,
}
