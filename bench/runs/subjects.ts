import type { Subject } from './measure.ts'

/** What is measured beside each other. */
export interface NamedSubject extends Subject {
  readonly name: string
  /** What a step is there, and what is kept of it. */
  readonly what: string
  /** Where its runs are kept. */
  readonly keeps: 'postgres' | 'redis' | 'own files'
  /** Installed from bench/package.json. */
  readonly isPeer: boolean
}

export const FLOOR = subject('floor', new URL('./floor.ts', import.meta.url), 'rows of run, step, event; nothing else')
const STATEWARD = new URL('./stateward.ts', import.meta.url)
/** Each step is a call of a tool that changes nothing outside, like the functions and jobs of the peers. */
export const CALLS = subject(
  'stateward',
  STATEWARD,
  'call of a tool without effects: row, event, chain; the five commit together',
)
/** Each step is a call of a tool that changes something outside, which no peer guards like this. */
export const EFFECTS: NamedSubject = {
  ...subject('stateward-effect', STATEWARD, 'the same of a tool with effects: a commit before and after each call'),
  options: { effects: 1 },
}
/** Each step is an expression: nothing happens between two of them that a commit could keep. */
export const TRANSFORMS: NamedSubject = {
  ...subject('stateward-transform', STATEWARD, 'expression: row, event, chain; the five commit together'),
  options: { pure: 1 },
}

export const SUBJECTS: readonly NamedSubject[] = [
  FLOOR,
  CALLS,
  EFFECTS,
  TRANSFORMS,
  peer('dbos', 'postgres', 'function: row of its output; workflow started directly'),
  peer('graphile-worker', 'postgres', 'job, deleted at its end; add next, complete this'),
  peer('pg-boss', 'postgres', 'job, kept; batches of 5, 4 workers, notified'),
  peer('bullmq', 'redis', 'job, removed at its end; appendfsync always'),
  peer('restate', 'own files', 'ctx.run; one partition, server beside it'),
]

function subject(name: string, script: URL, what: string): NamedSubject {
  return { name, what, script, keeps: 'postgres', isPeer: false }
}

function peer(name: string, keeps: NamedSubject['keeps'], what: string): NamedSubject {
  return { name, what, script: new URL(`./peers/${name}.ts`, import.meta.url), keeps, isPeer: true }
}
