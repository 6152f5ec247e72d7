import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { getArtifact, pageArtifacts } from '../../../store/queries/artifacts.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { samplePage } from '../samples.ts'
import { media, only, PageQuery, pageOf, Reference, Uuid } from '../schemas.ts'
import { Artifact, ArtifactParams, artifactDto, sampleArtifact, Word } from './artifact-dto.ts'

export const listArtifacts = route({
  operation: 'listArtifacts',
  method: 'GET',
  path: '/api/v1/artifacts',
  tag: 'artifacts',
  access: 'read',
  summary: 'List artifacts, the newest first',
  query: only({
    ...PageQuery,
    run_id: Type.Optional(Reference),
    step_id: Type.Optional(Uuid),
    kind: Type.Optional(Word),
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'a part of the name' })),
  }),
  answers: { 200: pageOf(Artifact) },
  example: { query: { run_id: 'checkmk-auto-remediate-k3q9zt' }, answer: samplePage(sampleArtifact) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageArtifacts(reader, {
      runId: query.run_id === undefined ? null : (await findRun(reader, query.run_id, null)).run_id,
      kind: query.kind ?? null,
      stepId: query.step_id ?? null,
      text: query.q ?? null,
      after: position === null ? null : { createdAt: position[0], artifactId: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.created_at, last.artifact_id], artifactDto)
  },
})

export const readArtifact = route({
  operation: 'readArtifact',
  method: 'GET',
  path: '/api/v1/artifacts/{artifact_id}',
  tag: 'artifacts',
  access: 'read',
  summary: 'Read what is known of an artifact',
  params: ArtifactParams,
  answers: { 200: Artifact },
  example: { params: { artifact_id: sampleArtifact.artifact_id }, answer: sampleArtifact },
  async answer({ params }, { store }) {
    const row = await getArtifact(store.engine, params.artifact_id)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no artifact ${params.artifact_id}`)
    return artifactDto(row)
  },
})

export const downloadArtifact = route({
  operation: 'downloadArtifact',
  method: 'GET',
  path: '/api/v1/artifacts/{artifact_id}/download',
  tag: 'artifacts',
  access: 'read',
  summary: 'Download an artifact',
  params: ArtifactParams,
  answers: { 200: media('*/*', 'the bytes, with the content type they were stored under') },
  example: { params: { artifact_id: sampleArtifact.artifact_id }, answer: '{"cause":"…"}' },
  async stream(reply, { params }, { services }) {
    const { row, content } = await services.artifacts.read(params.artifact_id)
    return (
      reply
        .type(row.content_type)
        .header('content-length', row.byte_length)
        .header('etag', `"${row.sha256}"`)
        // Never shown in a page of ours: whoever uploaded it decides what is in it.
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(row.name)}`)
        .send(content)
    )
  },
})
