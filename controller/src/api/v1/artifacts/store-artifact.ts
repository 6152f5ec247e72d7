import { Readable } from 'node:stream'
import { route } from '../../http/route.ts'
import { media } from '../schemas.ts'
import { Artifact, ArtifactParams, artifactDto, sampleArtifact } from './artifact-dto.ts'

export const storeArtifact = route({
  operation: 'storeArtifact',
  method: 'PUT',
  path: '/api/v1/artifacts/{artifact_id}/content',
  tag: 'artifacts',
  access: 'artifacts.write',
  summary: 'Send the bytes of an artifact',
  description: 'Of any content type, streamed. The same bytes again are no error; others are 409.',
  takes: 'stream',
  idempotency: false,
  params: ArtifactParams,
  body: media('application/octet-stream', 'the bytes'),
  answers: { 200: Artifact },
  example: { params: { artifact_id: sampleArtifact.artifact_id }, body: '{"cause":"…"}', answer: sampleArtifact },
  async answer({ params, body, caller }, { services }) {
    const content: unknown = body
    const bytes = content instanceof Readable ? content : Readable.from([])
    return artifactDto(await services.artifacts.store(params.artifact_id, bytes, caller))
  },
})
