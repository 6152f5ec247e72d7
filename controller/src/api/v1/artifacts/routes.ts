import type { Route } from '../../http/route.ts'
import { createArtifact } from './create-artifact.ts'
import { downloadArtifact, listArtifacts, readArtifact } from './read-artifacts.ts'
import { storeArtifact } from './store-artifact.ts'

/** Artifacts: metadata first, then the bytes, streamed; read by page, one by one, or as bytes. */
export const ARTIFACT_ROUTES: readonly Route[] = [
  createArtifact,
  storeArtifact,
  listArtifacts,
  readArtifact,
  downloadArtifact,
]
