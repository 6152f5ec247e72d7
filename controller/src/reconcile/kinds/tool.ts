import { isObject, valueAt } from '../../lib/json.ts'
import type { ToolState } from '../../mcp/compare.ts'
import { done, type Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'

/** A Tool looks at what is known of its server again after this time. */
const AGAIN_MS = 15_000

export interface ToolReconcilerDeps {
  /** What the server was found to offer under a name; undefined = nobody asked it yet, null = it offers no such tool. */
  readonly offered: (namespace: string, server: string, name: string) => ToolState | null | undefined
  /** What is known of a server says something else than its Tools. */
  readonly lookAgain: (namespace: string, server: string) => void
}

/** A tool of an McpServer is ready while the server offers what the Tool pins; any other Tool is a declaration. */
export function toolReconciler(deps: ToolReconcilerDeps): KindReconciler {
  const look: Phase = ({ object, spec }): Outcome => {
    const mcp = valueAt(spec, '/executor/mcp')
    if (!isObject(mcp)) return done
    const [server, name] = [String(mcp['server']), String(mcp['tool'])]
    const offered = deps.offered(object.namespace, server, name)
    if (offered === undefined)
      return { kind: 'waiting', reason: 'Progressing', message: `${server} was not asked yet`, after: AGAIN_MS }
    const isPinned = offered !== null && offered.digest === mcp['digest']
    if (isPinned !== (offered?.state === 'locked')) deps.lookAgain(object.namespace, server)
    if (isPinned) return { kind: 'done', again: AGAIN_MS }
    const what = offered === null || offered.state === 'gone' ? 'does not offer it any more' : 'offers another one'
    return { kind: 'waiting', reason: 'Quarantined', message: `${server} ${what}: it is not called`, after: AGAIN_MS }
  }
  return { kind: 'Tool', phases: [look], finalize: () => done }
}
