import { getArtifact } from '../../store/queries/artifacts.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import { type ArtifactDeps, keepArtifact } from './artifacts.ts'

export interface ToolArtifact {
  /** `<run>/<step path>/<attempt>` */
  readonly operationId: string
  readonly correlationId: string
  readonly name: string
  readonly kind: string
  readonly contentType: string
  readonly content: AsyncIterable<Uint8Array>
}

export interface KeptArtifact {
  readonly artifact_id: string
  readonly bytes: number
  readonly sha256: string
}

/** Keeps what a step made. Its id comes from the operation, so that a call that is made again keeps nothing twice. */
export function toolArtifacts(deps: ArtifactDeps): (artifact: ToolArtifact) => Promise<KeptArtifact> {
  return async ({ operationId, correlationId, content, ...artifact }) => {
    const [runId, path, attempt] = operationId.split('/') as [string, string, string]
    const artifactId = stepIdOf(runId, `${path}/artifact`, Number(attempt))
    const stepId = stepIdOf(runId, path, Number(attempt))
    const by = { actor: 'system:controller', correlationId }
    const more = { artifactId, byteLength: null, runId, stepId, metadata: {} }
    const row =
      (await keepArtifact(deps, { ...artifact, ...more }, content, by)) ??
      (await getArtifact(deps.store.engine, artifactId))
    return { artifact_id: artifactId, bytes: row!.byte_length!, sha256: row!.sha256! }
  }
}
