/** Which blueprints are held back by their limits, and by which: what their condition QuotaExceeded says. */
export interface HeldBack {
  /** Null = nothing of this kind is held back any more. */
  set(what: 'events' | 'schedules', blueprintUid: string, message: string | null): void
  /** Null = nothing is held back. */
  of(blueprintUid: string): string | null
}

/** `changed` is called when what is said of a blueprint has changed. */
export function createHeldBack(changed: (blueprintUid: string) => void): HeldBack {
  const messages = { events: new Map<string, string>(), schedules: new Map<string, string>() }
  const heldBack: HeldBack = {
    set(what, uid, message) {
      const before = heldBack.of(uid)
      if (message === null) messages[what].delete(uid)
      else messages[what].set(uid, `${what} are held back; ${message}`)
      if (heldBack.of(uid) !== before) changed(uid)
    },
    of: (uid) => messages.events.get(uid) ?? messages.schedules.get(uid) ?? null,
  }
  return heldBack
}
