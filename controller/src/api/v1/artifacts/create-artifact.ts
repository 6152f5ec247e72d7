import { Readable } from 'node:stream'
import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { JsonMap, Nullable, only, Uuid } from '../schemas.ts'
import { artifactDto, artifactFields, sampleArtifact, Word } from './artifact-dto.ts'

const ContentType = Type.String({ minLength: 3, maxLength: 200, pattern: '^[!-~]+/[ -~]+$' })
const BASE64 = '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
const ArtifactName = Type.String({ minLength: 1, maxLength: 255 })

export const createArtifact = route({
  operation: 'createArtifact',
  method: 'POST',
  path: '/api/v1/artifacts',
  tag: 'artifacts',
  access: 'artifacts.write',
  summary: 'Announce an artifact, or store a small one',
  description:
    'The bytes follow with a PUT to `upload_url`. What is small enough for the body may come at once, as `content_base64`.',
  body: only(
    {
      name: ArtifactName,
      kind: Type.Unsafe<string>({
        ...Word,
        default: 'file',
        description: 'log, report, bundle, file, or another word',
      }),
      content_type: Type.Unsafe<string>({ ...ContentType, default: 'application/octet-stream' }),
      byte_length: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))),
      run_id: Type.Optional(Nullable(Uuid)),
      step_id: Type.Optional(Nullable(Uuid)),
      metadata: Type.Optional(JsonMap),
      content_base64: Type.Optional(
        Type.String({ maxLength: 20_480, pattern: BASE64, description: 'the bytes: then nothing is to follow' }),
      ),
    },
    { title: 'ArtifactCreateRequest' },
  ),
  answers: {
    201: Type.Object(
      { ...artifactFields, upload_url: Type.String({ description: 'where to PUT the bytes' }) },
      { title: 'ArtifactUpload' },
    ),
  },
  example: {
    body: { name: 'report.json', kind: 'report', content_type: 'application/json', byte_length: 2048 },
    answer: {
      ...sampleArtifact,
      sha256: null,
      upload_url: `/api/v1/artifacts/${sampleArtifact.artifact_id}/content`,
    },
  },
  async answer({ body, caller }, { services }) {
    const bytes = body.content_base64 === undefined ? null : Buffer.from(body.content_base64, 'base64')
    const announced = await services.artifacts.create(
      {
        name: body.name,
        kind: body.kind,
        contentType: body.content_type,
        byteLength: body.byte_length ?? bytes?.length ?? null,
        runId: body.run_id ?? null,
        stepId: body.step_id ?? null,
        // The body came as JSON, so its members are JSON.
        metadata: (body.metadata ?? {}) as JsonObject,
      },
      caller,
    )
    const id = announced.artifact_id
    const row = bytes === null ? announced : await services.artifacts.store(id, Readable.from([bytes]), caller)
    return { ...artifactDto(row), upload_url: `/api/v1/artifacts/${id}/content` }
  },
})
