import { constants } from 'node:fs'
import { basename } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { errorCode, openInside, plainPath, realFolder } from './inside.ts'

const MAX_BYTES = 768 * 1024

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: { type: 'string', minLength: 1, description: 'The file, below the workspace.' },
    encoding: { enum: ['utf8', 'base64'], description: 'How the content is given. Default: utf8.' },
  },
}

const outputSchema: JsonObject = {
  type: 'object',
  required: ['path', 'content', 'bytes'],
  properties: { path: { type: 'string' }, content: { type: 'string' }, bytes: { type: 'integer' } },
}

async function run(call: Invocation): Promise<Json> {
  const { path, encoding = 'utf8' } = call.parameters as { path: string; encoding?: 'utf8' | 'base64' }
  const bytes = await readBytes(call.workspace, path)
  if (encoding === 'base64') return { path: plainPath(path), content: bytes.toString('base64'), bytes: bytes.length }
  try {
    const content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { path: plainPath(path), content, bytes: bytes.length }
  } catch (cause) {
    throw fail('SW_TOOL_FAILED', `${path} is not UTF-8`, { cause, remedy: 'read it with encoding: base64' })
  }
}

/** A file of the workspace. SW_TOOL_FAILED when it is none, SW_PATH_ESCAPES, SW_OUTPUT_TOO_LARGE. */
export async function readBytes(workspace: string, path: string): Promise<Buffer> {
  const { folder, missing } = await realFolder(workspace, path)
  try {
    if (missing.length > 0) throw Object.assign(new Error('no such folder'), { code: 'ENOENT' })
    const handle = await openInside(folder, basename(plainPath(path)), constants.O_RDONLY, 0, path)
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw fail('SW_TOOL_FAILED', `${path} is not a file`, { remedy: 'name a regular file' })
      if (stat.size > MAX_BYTES) {
        throw fail('SW_OUTPUT_TOO_LARGE', `${path} has ${stat.size} bytes, more than ${MAX_BYTES}`)
      }
      return await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw cause
    throw fail('SW_TOOL_FAILED', `${path} does not exist in the workspace`, { cause, remedy: 'correct the path' })
  }
}

export const fsRead: BuiltinTool = {
  name: 'fs.read',
  aliases: ['fs_read'],
  description: 'Reads a file of the workspace.',
  inputSchema,
  outputSchema,
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 5 },
  timeout: '30s',
  run,
}
