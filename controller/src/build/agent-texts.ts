import { secretRefsOf } from '../agents/agent-target.ts'
import type { Agents } from '../agents/agents.ts'
import type { BodyRedactor } from '../api/http/hooks.ts'
import { StatewardError } from '../lib/errors.ts'
import type { Core } from './core.ts'

/** For so long the secrets of an agent are not looked up again. */
const FRESH_MS = 30_000

/**
 * What agents send, without secrets: those this process knows, and those the agent is given, also where another process, or
 * another machine, started it.
 */
export function agentTexts({ secrets, known, clock }: Core, { fleet }: Agents): BodyRedactor {
  const learnt = new Map<string, { readonly spec: object; readonly until: number }>()
  const learn = async (uid: string): Promise<void> => {
    const spec = fleet.targets.get(uid)?.spec
    if (spec === undefined) return
    for (const secret of secretRefsOf(spec)) {
      try {
        await secrets.peek(secret)
      } catch (error) {
        // It cannot be used now; what it was is known, if it ever was.
        if (!(error instanceof StatewardError)) throw error
      }
    }
    learnt.set(uid, { spec, until: clock.monotonicMs() + FRESH_MS })
  }
  return (uid, body) => {
    const spec = fleet.targets.get(uid)?.spec
    const before = learnt.get(uid)
    const fresh = spec === undefined || (before?.spec === spec && before.until > clock.monotonicMs())
    if (fresh || secretRefsOf(spec).length === 0)
      return known.isEmpty ? undefined : Promise.resolve(known.redactJson(body))
    return learn(uid).then(() => known.redactJson(body))
  }
}
