import { Readable } from 'node:stream'
import Type, { type Static } from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import { type ArtifactRow, getArtifact, pageArtifacts } from '../../store/queries/artifacts.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { idempotent } from '../http/idempotency.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'
import { findRun } from './find-run.ts'
import { errorResponses, JsonMap, Nullable, PageQuery, pageOf, Reference, Time, Uuid } from './schemas.ts'

const Word = Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z][a-z0-9_-]*$' })
const ContentType = Type.String({ minLength: 3, maxLength: 200, pattern: '^[!-~]+/[ -~]+$' })
const ArtifactName = Type.String({ minLength: 1, maxLength: 255 })

const ArtifactCreateRequest = Type.Object(
  {
    name: ArtifactName,
    kind: Type.Unsafe<string>({ ...Word, default: 'file', description: 'log, report, bundle, file, or another word' }),
    content_type: Type.Unsafe<string>({ ...ContentType, default: 'application/octet-stream' }),
    byte_length: Type.Optional(Nullable(Type.Integer({ minimum: 0 }))),
    run_id: Type.Optional(Nullable(Uuid)),
    step_id: Type.Optional(Nullable(Uuid)),
    metadata: Type.Optional(JsonMap),
  },
  { additionalProperties: false },
)

const fields = {
  artifact_id: Uuid,
  name: Type.String(),
  kind: Type.String(),
  content_type: Type.String(),
  byte_length: Nullable(Type.Integer()),
  created_at: Time,
  created_by: Type.String(),
  run_id: Nullable(Uuid),
  step_id: Nullable(Uuid),
  sha256: Nullable(Type.String({ description: 'lower-case hex; null until the bytes have come' })),
  metadata: JsonMap,
}
export const Artifact = Type.Object(fields)
export const ArtifactUpload = Type.Object({
  ...fields,
  upload_url: Type.String({ description: 'where to PUT the bytes' }),
})

const ArtifactQuery = Type.Object(
  { ...PageQuery, run_id: Type.Optional(Reference), kind: Type.Optional(Word) },
  { additionalProperties: false },
)
const Params = Type.Object({ artifact_id: Uuid })

/** Artifacts: metadata first (POST), then the bytes (PUT to `upload_url`), streamed; read by page, one by one, or as bytes. */
export function addArtifactRoutes(app: Api, context: ApiContext): void {
  addArtifactReads(app, context)
  app.post(
    '/api/v1/artifacts',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Announce an artifact',
        body: ArtifactCreateRequest,
        response: { 201: ArtifactUpload, ...errorResponses },
      },
    },
    (request, reply) =>
      idempotent(context.store, request, reply, async () => {
        const { body } = request
        const row = await context.services.artifacts.create(
          {
            name: body.name,
            kind: body.kind,
            contentType: body.content_type,
            byteLength: body.byte_length ?? null,
            runId: body.run_id ?? null,
            stepId: body.step_id ?? null,
            // The body came as JSON, so its members are JSON.
            metadata: (body.metadata ?? {}) as JsonObject,
          },
          callerOf(request),
        )
        const dto = artifactDto(row)
        return { status: 201, body: { ...dto, upload_url: `/api/v1/artifacts/${row.artifact_id}/content` } }
      }),
  )
  app.register(async (scope: Api) => {
    // The bytes are nobody's business but the disk's: whatever their type, they are handed on as they come.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.put(
      '/api/v1/artifacts/:artifact_id/content',
      {
        config: { access: 'write' },
        schema: {
          summary: 'Send the bytes of an artifact',
          params: Params,
          response: { 200: Artifact, ...errorResponses },
        },
      },
      async (request) => {
        const content = request.body instanceof Readable ? request.body : Readable.from([])
        return artifactDto(
          await context.services.artifacts.store(request.params.artifact_id, content, callerOf(request)),
        )
      },
    )
  })
}

function addArtifactReads(app: Api, context: ApiContext): void {
  const { reader, engine } = context.store
  const config = { access: 'read' as const }
  app.get(
    '/api/v1/artifacts',
    {
      config,
      schema: {
        summary: 'List artifacts',
        querystring: ArtifactQuery,
        response: { 200: pageOf(Artifact), ...errorResponses },
      },
    },
    async (request) => {
      const { query } = request
      const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number', 'string'])
      const rows = await pageArtifacts(reader, {
        runId: query.run_id === undefined ? null : (await findRun(reader, query.run_id, null)).run_id,
        kind: query.kind ?? null,
        after: position === null ? null : { createdAt: new Date(position[0]), artifactId: position[1] },
        limit: query.limit + 1,
      })
      const items = rows.slice(0, query.limit)
      const last = rows.length > query.limit ? items.at(-1)! : null
      const next = last === null ? null : encodeCursor([last.created_at.getTime(), last.artifact_id])
      return { items: items.map(artifactDto), next_cursor: next, correlation_id: request.id }
    },
  )
  app.get(
    '/api/v1/artifacts/:artifact_id',
    { config, schema: { summary: 'Read an artifact', params: Params, response: { 200: Artifact, ...errorResponses } } },
    async (request) => {
      const row = await getArtifact(engine, request.params.artifact_id)
      if (row === null) throw fail('SW_NOT_FOUND', `there is no artifact ${request.params.artifact_id}`)
      return artifactDto(row)
    },
  )
  app.get(
    '/api/v1/artifacts/:artifact_id/download',
    { config, schema: { summary: 'Download an artifact', params: Params, response: errorResponses } },
    async (request, reply) => {
      const { row, content } = await context.services.artifacts.read(request.params.artifact_id)
      return (
        reply
          .type(row.content_type)
          .header('content-length', row.byte_length)
          .header('etag', `"${row.sha256}"`)
          // Never shown in a page of ours: whoever uploaded it decides what is in it.
          .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(row.name)}`)
          .send(content as never)
      )
    },
  )
}

function artifactDto(row: ArtifactRow): Static<typeof Artifact> {
  return {
    artifact_id: row.artifact_id,
    name: row.name,
    kind: row.kind,
    content_type: row.content_type,
    byte_length: row.byte_length,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    run_id: row.run_id,
    step_id: row.step_id,
    sha256: row.sha256,
    metadata: row.metadata,
  }
}
