import type { TObject, TProperties } from 'typebox'
import Type from 'typebox'

/** What a state means to whoever waits: there is work left, the work was done, or it was given up. */
export const PHASES = ['open', 'done', 'dropped'] as const
export type Phase = (typeof PHASES)[number]

/** One kind of work item: everything the code knows of it. A new kind is one more of these. */
export interface ItemType {
  readonly name: string
  readonly plural: string
  /** One sentence. */
  readonly description: string
  /** Each state with what it means and the states it may move to. The first one is where an item begins. */
  readonly states: Readonly<Record<string, ItemState>>
  /** Types of items it may be part of. */
  readonly parents: readonly string[]
  /** Schema of `fields`: what only items of this type have. */
  readonly fields: TObject
  /** What it says is a fact: its words are never changed, another item supersedes it. */
  readonly isRecord: boolean
  /** What agents do: the state while one does it, those at the end of its task, and the field that takes what came of it. */
  readonly byAgents?: {
    readonly running: string
    readonly completed: string
    readonly failed: string
    readonly cancelled: string
    readonly result: string
  }
  /** Agents may make such items themselves. */
  readonly isForAgents: boolean
}

export interface ItemState {
  readonly phase: Phase
  readonly to: readonly string[]
  /** May not be entered before everything the item depends on is done. */
  readonly needsDependencies?: boolean
  /** What an item that has just begun moves to when it is assigned. */
  readonly onAssign?: string
}

/** Fields of a type: all optional, nothing else. */
export function fields<T extends TProperties>(properties: T): TObject {
  const optional = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]),
  ) as TProperties
  return Type.Object(optional, { additionalProperties: false })
}

export const open = (...to: string[]): ItemState => ({ phase: 'open', to })
export const done = (...to: string[]): ItemState => ({ phase: 'done', to })
export const dropped = (...to: string[]): ItemState => ({ phase: 'dropped', to })

export function firstState(type: ItemType): string {
  return Object.keys(type.states)[0]!
}

/** Why an item may not move, or null. */
export function moveProblem(type: ItemType, from: string, to: string): string | null {
  const target = type.states[to]
  if (target === undefined) return `a ${type.name} has no state "${to}", only ${Object.keys(type.states).join(', ')}`
  if (from === to) return `it is ${to} already`
  const next = type.states[from]!.to
  if (next.includes(to)) return null
  return next.length === 0 ? `${from} is where it ends` : `from ${from} it moves to ${next.join(', ')}, not to ${to}`
}

/** Why an item may not be part of another, or null. */
export function parentProblem(type: ItemType, parent: ItemType): string | null {
  if (type.parents.includes(parent.name)) return null
  return type.parents.length === 0
    ? `a ${type.name} is part of nothing`
    : `a ${type.name} is part of a ${type.parents.join(', ')}, not of a ${parent.name}`
}
