import { Cron } from 'croner'
import type { PolicySpec } from '../../kinds/policy/policy.schema.ts'
import { parseDuration } from '../../lib/duration.ts'
import { globMatches } from '../../lib/glob.ts'
import type { PolicyVersion } from './compile.ts'

/** A change of an object, as windows look at it. */
export interface WindowedObject {
  readonly kind: string
  /** Empty = it has none. */
  readonly namespace: string
  readonly name: string
}

/** Why a change waits, and until when; `until` null = no such time is known. */
export interface Wait {
  readonly message: string
  readonly until: Date | null
}

/** The windows of policies of type `window`, ready to be asked. */
export interface SyncWindows {
  /** Null = it need not wait. */
  waitFor(object: WindowedObject, at: Date): Wait | null
}

type WindowSpec = NonNullable<PolicySpec['windows']>[number]

interface CompiledWindow {
  readonly policy: string
  readonly id: string
  readonly isDeny: boolean
  readonly fits: (object: WindowedObject) => boolean
  /** Null = it is not open; else when it closes. */
  readonly openUntil: (at: Date) => Date | null
  readonly opensNext: (at: Date) => Date | null
}

/**
 * A change waits while a deny window that fits it is open, and, where allow windows fit it, while none of them is. Windows
 * are about objects of their policy's namespace. Pure.
 */
export function compileWindows(policies: readonly PolicyVersion[]): SyncWindows {
  const windows = policies.flatMap((policy) =>
    (policy.spec.windows ?? []).map((window) => compileWindow(policy, window)),
  )
  return {
    waitFor(object, at) {
      const fitting = windows.filter((window) => window.fits(object))
      const denying = fitting.flatMap((window) => {
        const until = window.isDeny ? window.openUntil(at) : null
        return until === null ? [] : [{ window, until }]
      })
      if (denying.length > 0) {
        const last = denying.reduce((a, b) => (b.until > a.until ? b : a))
        return waits(last.window, 'no changes', last.until)
      }
      const allowing = fitting.filter(({ isDeny }) => !isDeny)
      if (allowing.length === 0 || allowing.some((window) => window.openUntil(at) !== null)) return null
      const next = allowing
        .map((window) => ({ window, opens: window.opensNext(at) }))
        .reduce((a, b) => (b.opens !== null && (a.opens === null || b.opens < a.opens) ? b : a))
      return waits(next.window, 'changes', next.opens)
    },
  }
}

function waits({ policy, id, isDeny }: CompiledWindow, what: string, until: Date | null): Wait {
  const when = until === null ? '' : ` until ${until.toISOString()}`
  const which = isDeny ? `${what} while window ${id} is open` : `${what} only while window ${id} is open`
  return { message: `waits${when}: policy ${policy} allows ${which}`, until }
}

function compileWindow({ namespace, name }: PolicyVersion, spec: WindowSpec): CompiledWindow {
  const { schedule, timeZone = 'UTC', kinds, names } = spec
  const cron = new Cron(schedule, { mode: '5-part', timezone: timeZone, paused: true })
  const length = parseDuration(spec.duration)
  return {
    policy: `${namespace}/${name}`,
    id: spec.id,
    isDeny: spec.kind === 'deny',
    fits: (object) =>
      (object.namespace === '' || object.namespace === namespace) &&
      // What says when changes wait can be changed at any time, unless it says so of itself.
      (kinds === undefined ? object.kind !== 'Policy' : kinds.includes(object.kind)) &&
      (names === undefined || names.some((glob) => globMatches(glob, object.name))),
    openUntil(at) {
      // Of times that overlap, the latest decides when it closes.
      const [began] = cron.previousRuns(1, new Date(at.getTime() + 1))
      const closes = began === undefined ? Number.NaN : began.getTime() + length
      return closes > at.getTime() ? new Date(closes) : null
    },
    opensNext: (at) => cron.nextRun(at),
  }
}
