import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import type { Undo } from '../undo/undo.ts'
import { inFolder, type Place, standsAt } from './at.ts'
import { keepFile, putFileBack } from './copies.ts'
import { escapes } from './inside.ts'

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['path', 'content'],
  properties: {
    path: { type: 'string', minLength: 1, description: 'The file, below the workspace. Missing folders are made.' },
    content: { type: 'string', description: 'The whole content of the file.' },
    encoding: { enum: ['utf8', 'base64'], description: 'How the content is given. Default: utf8.' },
  },
}

const outputSchema: JsonObject = {
  type: 'object',
  required: ['path', 'bytes', 'sha256'],
  properties: { path: { type: 'string' }, bytes: { type: 'integer' }, sha256: { type: 'string' } },
}

/** Mode of what stands there; null when nothing does. A link is refused: writing through it could change a file elsewhere. */
async function modeOf(place: Place): Promise<number | null> {
  const stat = await standsAt(place)
  if (stat === null) return null
  if (stat.isSymbolicLink()) throw escapes(place.plain)
  if (!stat.isFile()) throw fail('SW_TOOL_FAILED', `${place.plain} is not a file`, { remedy: 'name a regular file' })
  return Number(stat.mode) & 0o777
}

async function run(call: Invocation): Promise<Json> {
  const {
    path,
    content,
    encoding = 'utf8',
  } = call.parameters as { path: string; content: string; encoding?: 'utf8' | 'base64' }
  const bytes = Buffer.from(content, encoding)
  return await inFolder(call.workspace, path, { make: true }, async (place) => {
    const mode = await modeOf(place)
    if (mode !== null) await keepFile(place, await call.undo.folder(), COPY)
    await call.undo.keep({ path: place.plain, mode })
    await replace(place, bytes, mode ?? 0o644)
    return { path: place.plain, bytes: bytes.length, sha256: sha256(bytes) }
  })
}

/** Readers see the old content or the new one, never a part: write beside it, make it durable, rename. */
async function replace(place: Place, bytes: Buffer, mode: number): Promise<void> {
  const temporary = join(dirname(place.at), `.${place.name.slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const handle = await open(temporary, flags, mode)
  try {
    try {
      await handle.writeFile(bytes)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, place.at)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const COPY = 'before'

export const undoWrite: Undo = async ({ workspace, record }, copies) => {
  const { path, mode } = record as { path: string; mode: number | null }
  return await inFolder(workspace, path, { make: true }, async (place) => {
    if (mode === null) await rm(place.at, { force: true })
    else await putFileBack(place, copies, COPY, mode)
    return { path, restored: mode === null ? 'it is gone again' : 'the content it had' }
  })
}

export const fsWrite: BuiltinTool = {
  name: 'fs.write',
  aliases: ['fs_write'],
  description: 'Writes a file of the workspace, whole or not at all.',
  inputSchema,
  outputSchema,
  risk: 'medium',
  sideEffects: 'reversible',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 10 },
  timeout: '30s',
  run,
}
