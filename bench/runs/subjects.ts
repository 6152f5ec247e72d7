import type { Subject } from './measure.ts'

/** What is measured beside each other. */
export interface NamedSubject extends Subject {
  readonly name: string
  /** What a step is there, and what is kept of it. */
  readonly what: string
}

export const SUBJECTS: readonly NamedSubject[] = [
  {
    name: 'floor',
    what: 'bare group commit of run, step and event rows',
    script: new URL('./floor.ts', import.meta.url),
  },
  {
    name: 'stateward',
    what: 'call of a tool: intent and outcome, 2 events, chain',
    script: new URL('./stateward.ts', import.meta.url),
  },
  {
    name: 'stateward-transform',
    what: 'expression: row, event, chain; five commit together',
    script: new URL('./stateward.ts', import.meta.url),
    options: { pure: 1 },
  },
]
