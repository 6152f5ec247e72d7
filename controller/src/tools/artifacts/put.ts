import { constants } from 'node:fs'
import { basename } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { errorCode, openInside, plainPath, realFolder } from '../fs/inside.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: { type: 'string', minLength: 1, description: 'The file, below the workspace.' },
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Name of the artifact. Default: that of the file.',
    },
    kind: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_-]{0,62}$',
      description: 'report, bundle, file, or another word. Default: file.',
    },
    contentType: { type: 'string', minLength: 1, maxLength: 255, description: 'Default: application/octet-stream.' },
  },
}

const outputSchema: JsonObject = {
  type: 'object',
  required: ['artifact_id', 'name', 'bytes', 'sha256'],
  properties: {
    artifact_id: { type: 'string', format: 'uuid' },
    name: { type: 'string' },
    bytes: { type: 'integer' },
    sha256: { type: 'string' },
  },
}

async function run(call: Invocation, { artifacts }: ToolDependencies): Promise<Json> {
  const { path, kind, contentType, ...given } = call.parameters as Readonly<Record<string, string>> & { path: string }
  const name = given['name'] ?? basename(plainPath(path))
  const { folder, missing } = await realFolder(call.workspace, path)
  try {
    if (missing.length > 0) throw Object.assign(new Error('no such folder'), { code: 'ENOENT' })
    const handle = await openInside(folder, basename(plainPath(path)), constants.O_RDONLY, 0, path)
    try {
      if (!(await handle.stat()).isFile())
        throw fail('SW_TOOL_FAILED', `${path} is not a file`, { remedy: 'name a regular file' })
      const kept = await artifacts({
        operationId: call.operationId,
        correlationId: call.correlationId,
        name,
        kind: kind ?? 'file',
        contentType: contentType ?? 'application/octet-stream',
        content: handle.createReadStream({ autoClose: false, signal: call.signal }),
      })
      return { ...kept, name }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw cause
    throw fail('SW_TOOL_FAILED', `${path} does not exist in the workspace`, { cause, remedy: 'correct the path' })
  }
}

export const artifactPut: BuiltinTool = {
  name: 'artifact.put',
  aliases: ['artifact_put'],
  description: 'Keeps a file of the workspace as an artifact of the run, streamed to disk and found by its sha256.',
  inputSchema,
  outputSchema,
  risk: 'low',
  sideEffects: 'reversible',
  idempotent: true,
  permissions: [],
  cost: { estimatedCents: 0, estimatedLatencyMs: 200 },
  timeout: '10m',
  run,
}
