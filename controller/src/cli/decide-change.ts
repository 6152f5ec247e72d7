import { isDeclaredKind } from './kinds/kind-table.ts'
import { namespaceOf, readTarget, textOption } from './operands.ts'
import { renderDocument } from './print/structured.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/** Whether an operand names an object that is declared, and not a run: `agent/sre`. */
export function namesObject(word: string | undefined): boolean {
  const [kind = '', name = '', ...rest] = (word ?? '').split('/')
  return rest.length === 0 && name !== '' && isDeclaredKind(kind)
}

/** Says yes or no to the change of an object that waits at the head. */
export async function decideChange(call: VerbCall, decision: 'approve' | 'reject'): Promise<ExitCode> {
  const { args, options, terminal } = call
  const { kind, name } = readTarget(args[0]!)
  const reason = textOption(options, 'reason')
  const client = await call.client()
  const decided = await client.call(decision === 'approve' ? 'approveChange' : 'rejectChange', {
    body: {
      ...{ kind: kind.kind, name, source: 'cli' as const },
      ...(kind.scope === 'Cluster' ? {} : { namespace: namespaceOf(options) }),
      ...(reason === undefined ? {} : { reason }),
    },
  })
  const { waits } = decided
  const said = decision === 'approve' ? 'approved' : 'rejected'
  const text = `${said} the change of ${args[0]}${decision === 'reject' ? '' : waits === null ? ': it goes on' : `; it ${waits}`}\n`
  await terminal.out(renderDocument(options['output'], decided) ?? text)
  return 0
}
