import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
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
    // Of a call inside a step, the id of the call stands behind those of the step.
    const [runId, path, attempt, call] = operationId.split('/') as [string, string, string, string?]
    if (!isUuid(runId) || attempt === undefined)
      throw fail('SW_TOOL_FAILED', 'an artifact belongs to a run: call the tool in a step')
    const artifactId = stepIdOf(runId, `${path}/artifact${call === undefined ? '' : `/${call}`}`, Number(attempt))
    const stepId = stepIdOf(runId, path, Number(attempt))
    const by = { actor: 'system:controller', correlationId }
    const more = { artifactId, byteLength: null, runId, stepId, metadata: {} }
    const row =
      (await keepArtifact(deps, { ...artifact, ...more }, content, by)) ??
      (await getArtifact(deps.store.engine, artifactId))
    return { artifact_id: artifactId, bytes: row!.byte_length!, sha256: row!.sha256! }
  }
}
