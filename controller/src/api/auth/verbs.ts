/**
 * What somebody may be allowed to do. Every route asks for exactly one of these; roles are lists of them (`roles.ts`).
 * `privileged` verbs change what the fleet does: each decision about one is written to the log.
 */
export const VERBS = {
  read: { description: 'read objects, runs, events, logs and artifacts', privileged: false },
  'agent.work': {
    description: 'register, send heartbeats, take tasks and report them, as one instance',
    privileged: false,
  },
  'events.emit': { description: 'send events', privileged: false },
  'artifacts.write': { description: 'store artifacts', privileged: false },
  'runs.start': { description: 'start runs of blueprints', privileged: true },
  'runs.cancel': { description: 'cancel runs', privileged: true },
  'runs.retry': { description: 'have runs that ended go on', privileged: true },
  'runs.rollback': { description: 'undo what runs did', privileged: true },
  'runs.rebuild': { description: 'build the rows of a run again from its events', privileged: true },
  'gates.decide': { description: 'approve and reject gates', privileged: true },
  'objects.reconcile': { description: 'have objects and sources looked at now', privileged: false },
  'objects.override': { description: 'suspend and resume objects at once', privileged: true },
  'deletions.approve': { description: 'let held-back deletions through', privileged: true },
  'audit.verify': { description: 'verify the event log', privileged: false },
} as const satisfies Record<string, { readonly description: string; readonly privileged: boolean }>

export type Verb = keyof typeof VERBS
