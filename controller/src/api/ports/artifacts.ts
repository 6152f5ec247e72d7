import type { JsonObject } from '../../lib/json.ts'
import type { ArtifactRow } from '../../store/queries/artifacts.ts'
import type { Caller } from '../caller.ts'

/** What is kept as files. Rows of artifacts are read without it. */
export interface Artifacts {
  /** SW_ARTIFACT_TOO_LARGE when more is announced than an artifact may have. */
  create(
    artifact: {
      readonly name: string
      readonly kind: string
      readonly contentType: string
      readonly byteLength: number | null
      readonly runId: string | null
      readonly stepId: string | null
      readonly metadata: JsonObject
    },
    caller: Caller,
  ): Promise<ArtifactRow>
  /**
   * Takes the bytes; the same again are no error. SW_NOT_FOUND, SW_CONFLICT (it has others), SW_ARTIFACT_TOO_LARGE,
   * SW_ARTIFACTS_FULL, SW_VALIDATION_FAILED (not as many as were announced).
   */
  store(artifactId: string, content: AsyncIterable<Uint8Array>, caller: Caller): Promise<ArtifactRow>
  /** SW_NOT_FOUND also while the bytes have not come. */
  read(artifactId: string): Promise<{ readonly row: ArtifactRow; readonly content: NodeJS.ReadableStream }>
}
