import { editManifest } from './edit-manifest.ts'
import type { ProposalRepository, SuspendTarget } from './ports.ts'
import { type ProposedCommit, type ProposeOptions, proposeFile } from './propose-file.ts'

/**
 * Says in a commit what an override says at once: `spec.suspend` of one object. Null when Git says so already, or when the
 * document is gone from Git meanwhile: there is nothing to edit.
 */
export async function proposeSuspend(
  repository: ProposalRepository,
  target: SuspendTarget,
  suspend: boolean,
  options: ProposeOptions,
): Promise<ProposedCommit | null> {
  if (target.declared === suspend) return null
  const verb = suspend ? 'suspend' : 'resume'
  return await proposeFile(
    repository,
    {
      topic: `${verb}-${target.kind.toLowerCase()}-${target.name}`,
      subject: `${verb} ${target.kind} ${target.namespace === '' ? '' : `${target.namespace}/`}${target.name}`,
      file: target.file,
      edit: (text) =>
        text === null ? null : editManifest(text, target.document, ['spec', 'suspend'], suspend ? true : undefined),
    },
    options,
  )
}
