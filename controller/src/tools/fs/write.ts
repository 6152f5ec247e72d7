import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { errorCode, escapes, openInside, plainPath, realFolder } from './inside.ts'

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

/** Mode of what stands there; 0644 when there is nothing. A link is refused: writing through it could change a file elsewhere. */
async function modeOf(target: string, path: string): Promise<number> {
  try {
    const stat = await lstat(target)
    if (stat.isSymbolicLink()) throw escapes(path)
    if (!stat.isFile()) throw fail('SW_TOOL_FAILED', `${path} is not a file`, { remedy: 'name a regular file' })
    return stat.mode & 0o777
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0o644
    throw error
  }
}

async function run(call: Invocation): Promise<Json> {
  const {
    path,
    content,
    encoding = 'utf8',
  } = call.parameters as { path: string; content: string; encoding?: 'utf8' | 'base64' }
  const plain = plainPath(path)
  if (plain === '.') throw fail('SW_TOOL_FAILED', 'the workspace itself is not a file', { remedy: 'name a file' })
  const bytes = Buffer.from(content, encoding)
  const { folder: existing, missing } = await realFolder(call.workspace, plain)
  const folder = join(existing, ...missing)
  if (missing.length > 0) await mkdir(folder, { recursive: true })
  const target = join(folder, basename(plain))
  const mode = await modeOf(target, path)
  // Readers see the old content or the new one, never a part: write beside it, make it durable, rename.
  const temporary = `.${basename(plain).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
  const handle = await openInside(folder, temporary, flags, mode, path)
  try {
    try {
      await handle.writeFile(bytes)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(join(folder, temporary), target)
  } catch (error) {
    await rm(join(folder, temporary), { force: true })
    throw error
  }
  return { path: plain, bytes: bytes.length, sha256: sha256(bytes) }
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
  timeout: '30s',
  run,
}
