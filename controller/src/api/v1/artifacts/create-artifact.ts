import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { JsonMap, Nullable, only, Uuid } from '../schemas.ts'
import { artifactDto, artifactFields, sampleArtifact, Word } from './artifact-dto.ts'

const ContentType = Type.String({ minLength: 3, maxLength: 200, pattern: '^[!-~]+/[ -~]+$' })
const ArtifactName = Type.String({ minLength: 1, maxLength: 255 })

export const createArtifact = route({
  operation: 'createArtifact',
  method: 'POST',
  path: '/api/v1/artifacts',
  tag: 'artifacts',
  access: 'artifacts.write',
  summary: 'Announce an artifact',
  description: 'The bytes follow with a PUT to `upload_url`.',
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
    const row = await services.artifacts.create(
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
      caller,
    )
    return { ...artifactDto(row), upload_url: `/api/v1/artifacts/${row.artifact_id}/content` }
  },
})
