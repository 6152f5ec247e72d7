/** The ref that says in Git that the fleet is frozen. Its commit is signed by whoever says so. */
export const FREEZE_REF = 'refs/stateward/freeze'

/** What a commit at that ref asks for. */
export interface FreezeCommit {
  readonly asks: 'freeze' | 'lift'
  /** Its subject. */
  readonly reason: string | null
  /** The principal that the controller wrote it for; null in a commit of anybody else. */
  readonly actor: string | null
}

const SCOPES: Readonly<Record<string, FreezeCommit['asks']>> = { all: 'freeze', lift: 'lift' }

/** Reads a commit's message; null when it names a scope that there is not. Without a trailer the whole fleet is meant. Pure. */
export function readFreezeCommit(message: string): FreezeCommit | null {
  const [head = '', ...rest] = message.trimEnd().split(/\n\s*\n/)
  const [subject = ''] = head.split('\n')
  // Trailers stand in the last paragraph: a reason is never one.
  const trailers = rest.at(-1) ?? ''
  const scope = /^Stateward-Freeze: *(.*)$/m.exec(trailers)?.[1]?.trim() ?? 'all'
  const asks = Object.hasOwn(SCOPES, scope) ? SCOPES[scope]! : null
  if (asks === null) return null
  const actor = /^Stateward-Actor: *(\S+)$/m.exec(trailers)?.[1] ?? null
  return { asks, reason: subject.trim() === '' ? null : subject.trim().slice(0, 1000), actor }
}

/** The message of a commit that this controller writes. */
export function freezeMessage({
  actor,
  reason,
  correlation,
}: Record<'actor' | 'correlation', string> & { readonly reason: string | null }): string {
  const subject = (reason ?? 'freeze').replaceAll(/\s*\n\s*/g, ' ')
  return `${subject}\n\nStateward-Freeze: all\nStateward-Actor: ${actor}\nStateward-Correlation: ${correlation}\n`
}

/** What is to be done so that the ref and the rows of the database say the same. */
export type FreezeStep =
  | { readonly do: 'nothing' }
  /** The ref is to say what the row says. */
  | { readonly do: 'write' }
  /** Its commit becomes that of the row. */
  | { readonly do: 'note' }
  | { readonly do: 'remove' }
  /** Somebody who may asks for it by the ref. */
  | { readonly do: 'freeze' | 'lift' }
  /** Nobody who may has signed it. */
  | { readonly do: 'refuse' }

/**
 * Pure. The rows are what counts: a ref that was removed is written again, so that whoever may push cannot lift a freeze
 * by that; one that somebody who may has signed is believed, whoever pushed it.
 */
export function nextFreezeStep(seen: {
  /** The newest row. */
  readonly row: { readonly frozen: boolean; readonly commit: string | null } | null
  /** The commit at the ref. */
  readonly tip: string | null
  /** Some row, whichever, has this commit. */
  readonly isKnown: boolean
  /** What the commit asks for; null = nobody who may has signed it. */
  readonly asks: FreezeCommit['asks'] | null
}): FreezeStep {
  const { row, tip, isKnown, asks } = seen
  if (row?.frozen === true) {
    if (tip === null) return { do: 'write' }
    if (tip === row.commit) return { do: 'nothing' }
    if (isKnown) return { do: 'remove' }
    if (asks === null) return { do: 'refuse' }
    return { do: asks === 'lift' ? 'lift' : 'note' }
  }
  if (tip === null) return { do: 'nothing' }
  if (isKnown) return { do: 'remove' }
  if (asks === null) return { do: 'refuse' }
  return { do: asks === 'lift' ? 'remove' : 'freeze' }
}
