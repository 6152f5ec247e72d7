import { ERRORS } from '../../lib/error-catalogue.ts'
import { ISSUE_CODES, PROPOSAL_ISSUE_CODES } from '../../lib/issue-catalogue.ts'
import type { Artefact } from './artefact.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

/** Every failure and every problem with a document, by its stable reference. */
export function errorsPage(): string {
  return `${[
    GENERATED_NOTE,
    '# Errors',
    'Each has a stable reference that is never used for anything else. The API answers `{code, message, …}` with the lower-case word; the CLI and the log show the reference.',
    '## Failures',
    table(
      ['reference', 'code', 'HTTP status', 'what to do'],
      Object.entries(ERRORS).map(([reference, { code, status, remedy }]) => [
        `\`${reference}\``,
        `\`${code}\``,
        String(status),
        remedy,
      ]),
    ),
    '## Problems in documents',
    'Collected, with file, line and column, in `stateward validate`, in `plan`, in the status of the Source and in the git note of the commit. Only the document that has one is held back, and what depends on it.',
    table(
      ['code', 'meaning'],
      Object.entries({ ...ISSUE_CODES, ...PROPOSAL_ISSUE_CODES }).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
  ].join('\n\n')}\n`
}

export function errorsPageArtefacts(): Artefact[] {
  return [{ path: 'docs/errors.md', render: async () => errorsPage() }]
}
