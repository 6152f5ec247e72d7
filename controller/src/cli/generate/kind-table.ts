import type { KindDefinition } from '../../kinds/definition.ts'
import { kindRowOf } from '../../kinds/kind-row.ts'
import type { Artefact } from './artefact.ts'

/** Names and columns of every kind for the command line, which must start without loading the schemas. */
export function kindTableArtefacts(kinds: readonly KindDefinition[]): Artefact[] {
  return [
    {
      path: 'controller/src/cli/kinds/kind-table.json',
      render: async () => `${JSON.stringify(kinds.map(kindRowOf), null, 2)}\n`,
    },
  ]
}
