import { KINDS } from '../../kinds/registry.ts'
import { apiArtefacts } from './api-artefacts.ts'
import type { Artefact } from './artefact.ts'
import { chartArtefacts } from './chart.ts'
import { constructArtefacts } from './constructs.ts'
import { crdArtefacts } from './custom-resource-definition.ts'
import { databaseSchemaArtefacts } from './database-schema.ts'
import { editorSchemaArtefacts } from './editor-schema.ts'
import { errorsPageArtefacts } from './errors-page.ts'
import { eventsPageArtefacts } from './events-page.ts'
import { installationArtefacts } from './installation.ts'
import { kindPageArtefacts } from './kind-page.ts'
import { kindTableArtefacts } from './kind-table.ts'
import { starterSchemaArtefacts } from './starter-schemas.ts'
import { typescriptExampleArtefacts } from './typescript-example.ts'

/** Every generated file. */
export const ARTEFACTS: readonly Artefact[] = [
  ...crdArtefacts(KINDS),
  ...editorSchemaArtefacts(KINDS),
  ...kindPageArtefacts(KINDS),
  ...errorsPageArtefacts(),
  ...eventsPageArtefacts(),
  ...apiArtefacts(),
  ...kindTableArtefacts(KINDS),
  ...databaseSchemaArtefacts(),
  ...starterSchemaArtefacts(KINDS),
  ...installationArtefacts(),
  ...chartArtefacts(KINDS),
  ...constructArtefacts(KINDS),
  ...typescriptExampleArtefacts(),
]

/** Folders that hold generated files only: anything else in them is left over from a former version. */
export const GENERATED_FOLDERS: readonly string[] = [
  'crds',
  'crds/schemas',
  'docs/reference/kinds',
  'state-repo/.schemas',
  'manifests/rendered',
  'state-repo/typescript/rendered',
  'charts/stateward/files',
  'charts/stateward/files/crds',
]
