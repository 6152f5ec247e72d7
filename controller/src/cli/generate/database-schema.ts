import { dumpSchema } from '../../store/dump-schema.ts'
import { withScratchDatabase } from '../../store/embedded/scratch-database.ts'
import type { Log } from '../../store/ports.ts'
import type { Artefact } from './artefact.ts'

const SILENT: Log = { info() {}, warn() {}, error() {} }

/** The schema that the migrations give an empty database of the embedded server. */
export function databaseSchemaArtefacts(): Artefact[] {
  return [{ path: 'controller/migrations/schema.sql', render: () => withScratchDatabase(SILENT, dumpSchema) }]
}
