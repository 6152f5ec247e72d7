import type { ObjectRef } from '../kinds/resource.ts'
import { editManifest, type FieldValue } from './edit-manifest.ts'
import type { DocumentPlace } from './object-change.ts'
import type { ProposalRepository } from './ports.ts'
import { type ProposedCommit, type ProposeOptions, proposeFile } from './propose-file.ts'

/** Sets or (undefined) removes one field of the spec. */
export interface SpecEdit {
  readonly field: string
  readonly value: FieldValue | undefined
}

/**
 * Says in a commit what an override says at once: fields of the spec of one object. Null when Git says so already, or when
 * the document is gone from Git meanwhile: there is nothing to edit.
 */
export async function proposeEdits(
  repository: ProposalRepository,
  object: ObjectRef & DocumentPlace,
  change: {
    readonly verb: string
    /** What of the object it is about, when changes of several such things may be open at once. */
    readonly of?: string
    readonly edits: readonly SpecEdit[]
  },
  options: ProposeOptions,
): Promise<ProposedCommit | null> {
  const { kind, namespace, name, file, document } = object
  const { verb, edits, of } = change
  if (edits.length === 0) return null
  return await proposeFile(
    repository,
    {
      topic: `${verb}-${of === undefined ? '' : `${of.toLowerCase()}-`}${kind.toLowerCase()}-${name}`,
      subject: `${verb} ${of === undefined ? '' : `${of} of `}${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`,
      file,
      edit: (text) =>
        text === null
          ? null
          : edits.reduce((edited, edit) => editManifest(edited, document, ['spec', edit.field], edit.value), text),
    },
    options,
  )
}
