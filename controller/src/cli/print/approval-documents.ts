import { dump } from 'js-yaml'
import { API_VERSION } from '../../kinds/definition.ts'
import type { Change } from '../../plan/change-set.ts'

/** An Approval document for each change that waits for somebody's word: to be read, committed and signed by whoever may. */
export function renderApprovals(changes: readonly Change[]): string {
  const waiting = changes.filter(({ held, reason }) => held !== undefined && reason === 'ApprovalRequired')
  if (waiting.length === 0) return '# nothing waits for an approval\n'
  return waiting.map((change) => `# ${change.message ?? ''}\n${documentOf(change)}`).join('---\n')
}

function documentOf({ kind, namespace, name, held, fromDigest: from, toDigest: to }: Change): string {
  const word = `${held}-${kind.toLowerCase()}-${name}`.slice(0, 50).replace(/[.-]+$/, '')
  return dump({
    apiVersion: API_VERSION,
    kind: 'Approval',
    metadata: { name: `${word}-${(to ?? from ?? '').slice(0, 8)}`, ...(namespace === '' ? {} : { namespace }) },
    spec: {
      change: {
        kind,
        ...(namespace === '' ? {} : { namespace }),
        name,
        ...(from === null ? {} : { from }),
        ...(to === null ? {} : { to }),
      },
      decision: 'approve',
    },
  })
}
