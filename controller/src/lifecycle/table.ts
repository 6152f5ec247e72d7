/**
 * A state machine as a total table: every state answers every event. `ignore` is for what may arrive late or twice (a timer, a repeated
 * report): nothing changes and nobody is told. `reject` is for what must not happen: the one who asked gets an error.
 */
export type Table<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Record<Event, State | 'ignore' | 'reject'>>>
>

export type Next<State extends string> =
  | { readonly outcome: 'moved'; readonly state: State }
  | { readonly outcome: 'ignored' | 'rejected'; readonly state: State }

/** What an event does to a state; `state` is the one afterwards. A state whose event leads back to it (a retry) has moved as well. */
export function next<State extends string, Event extends string>(
  table: Table<State, Event>,
  state: State,
  event: Event,
): Next<State> {
  const cell = table[state][event]
  if (cell === 'ignore') return { outcome: 'ignored', state }
  if (cell === 'reject') return { outcome: 'rejected', state }
  return { outcome: 'moved', state: cell as State }
}

/** States from which some event leads to `to`: the guard of an UPDATE that sets it, `WHERE state = ANY(…)`. */
export function statesBefore<State extends string, Event extends string>(
  table: Table<State, Event>,
  to: State,
): State[] {
  const states = Object.keys(table) as State[]
  return states.filter((state) => (Object.values(table[state]) as (State | 'ignore' | 'reject')[]).includes(to))
}

/** States that no event leaves. */
export function finalStates<State extends string, Event extends string>(table: Table<State, Event>): State[] {
  const states = Object.keys(table) as State[]
  return states.filter((state) =>
    (Object.values(table[state]) as string[]).every((cell) => cell === 'ignore' || cell === 'reject'),
  )
}
