import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { StatewardError } from '../../lib/errors.ts'
import type { Json } from '../../lib/json.ts'
import { VALUE_KIND } from '../../store/queries/artifacts.ts'
import { type ArtifactDeps, keepArtifact } from './artifacts.ts'

/** What a run made that is too large for an event: canonical JSON, by its sha256. */
export interface Value {
  readonly artifactId: string
  readonly name: string
  readonly text: string
  readonly digest: string
  readonly runId: string
  readonly stepId: string | null
  readonly at: Date
  readonly correlationId: string
}

export interface Values {
  /** Waits for the database when it is away. */
  keep(value: Value): Promise<void>
  read(digest: string): Promise<Json | null>
}

/** How soon it tries again while the database is away. */
const AGAIN_MS = 500

/** Large values as artifacts of the kind `value`. The same one again, by its id or by its bytes, costs a row at most. */
export function largeValues(deps: ArtifactDeps): Values {
  return {
    async keep(value) {
      for (;;) {
        try {
          await keepOnce(deps, value)
          return
        } catch (error) {
          if (!(error instanceof StatewardError) || error.ref !== 'SW_DATABASE_UNREACHABLE') throw error
          deps.store.log.warn(
            { run_id: value.runId, err: error },
            'a large value is kept as soon as the database answers',
          )
          await delay(AGAIN_MS)
        }
      }
    },
    async read(digest) {
      try {
        return JSON.parse(await text(await deps.files.read(digest))) as Json
      } catch (error) {
        if (error instanceof StatewardError && error.ref === 'SW_NOT_FOUND') return null
        throw error
      }
    },
  }
}

async function keepOnce(deps: ArtifactDeps, value: Value): Promise<void> {
  const { artifactId, name, runId, stepId, at } = value
  const bytes = Buffer.from(value.text)
  const artifact = {
    artifactId,
    at,
    name,
    kind: VALUE_KIND,
    contentType: 'application/json',
    byteLength: bytes.length,
    runId,
    stepId,
    metadata: {},
  }
  const by = { actor: 'system:controller', correlationId: value.correlationId }
  await keepArtifact(deps, artifact, chunk(bytes), by)
}

async function* chunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
