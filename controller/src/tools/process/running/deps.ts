import type { Store } from '../../../store/store.ts'
import type { ArtifactSink } from '../../ports.ts'

/** What looking after programs needs from elsewhere. */
export interface RunningProgramsDeps {
  readonly store: Store
  /** The folder of all records: `<folder>/<id>`. */
  readonly folder: string
  readonly host: string
  readonly envId: (namespace: string) => string
  readonly artifacts: ArtifactSink
  /** How many may run in a namespace at once. */
  readonly most: (namespace: string) => number
}
