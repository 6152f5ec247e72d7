import type { KindDefinition } from '../../kinds/definition.ts'
import type { Artefact } from './artefact.ts'
import { editorSchemaArtefacts } from './editor-schema.ts'

const NAMES = ['stateward.schema.json', 'blueprint-v0.schema.json']

/** The schemas the starter carries, so that an editor knows its files wherever it is cloned to. */
export function starterSchemaArtefacts(kinds: readonly KindDefinition[]): Artefact[] {
  return NAMES.map((name) => {
    const source = editorSchemaArtefacts(kinds).find(({ path }) => path.endsWith(`/${name}`))
    if (source === undefined) throw new Error(`no editor schema ${name}`)
    return { path: `state-repo/.schemas/${name}`, render: source.render }
  })
}
