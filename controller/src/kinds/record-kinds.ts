import type { KindRow } from './kind-row.ts'

/** What is recorded, not declared: without a manifest, so without a folder in `kinds/`. */
export interface RecordKind extends KindRow {
  readonly description: string
}

/** A run is a record, not a declaration: no manifest, so no folder in `kinds/`, but `get` and `describe` show it like one. */
export const RUN: RecordKind = {
  kind: 'Run',
  plural: 'runs',
  singular: 'run',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Run is one execution of a blueprint, or of a plan of its own.',
  notYetEnforced: false,
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Where it is.', priority: 0 },
    {
      name: 'Blueprint',
      type: 'string',
      jsonPath: '.spec.blueprintRef.name',
      description: 'What it follows.',
      priority: 0,
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Succeeded")].message',
      description: 'What it waits for, or why it ended.',
      priority: 0,
    },
    {
      name: 'Revision',
      type: 'string',
      jsonPath: '.spec.revision',
      description: 'The commit it is pinned to.',
      priority: 0,
    },
    {
      name: 'Age',
      type: 'date',
      jsonPath: '.metadata.creationTimestamp',
      description: 'Time since it was made.',
      priority: 0,
    },
    { name: 'Trigger', type: 'string', jsonPath: '.status.trigger', description: 'What started it.', priority: 1 },
    { name: 'Id', type: 'string', jsonPath: '.metadata.uid', description: 'Its id.', priority: 1 },
  ],
}

export const RUN_STATUSES: readonly string[] = ['created', 'running', 'completed', 'failed', 'cancelled']

const column = (
  name: string,
  type: 'string' | 'integer' | 'date',
  jsonPath: string,
  description: string,
  priority: 0 | 1 = 0,
): KindRow['columns'][number] => ({ name, type, jsonPath, description, priority })

/** An item of the work graph, of whatever type. Neither declared nor part of `all`. */
export const WORK_ITEM: RecordKind = {
  kind: 'WorkItem',
  plural: 'workitems',
  singular: 'workitem',
  shortNames: ['wi'],
  scope: 'Namespaced',
  description: 'WorkItem is an item of the work graph, of whatever type.',
  notYetEnforced: false,
  columns: [
    column('Type', 'string', '.spec.type', 'What sort of item it is.'),
    column('State', 'string', '.status.state', 'Where it is.'),
    column('Title', 'string', '.spec.title', 'What it is about.'),
    column('Assignee', 'string', '.spec.assignee', 'Who is to do it.'),
    column('Age', 'date', '.metadata.creationTimestamp', 'Time since it was made.'),
    column('Project', 'string', '.spec.projectRef.name', 'What it is for.', 1),
    column('Parent', 'string', '.spec.parentRef.name', 'What it is part of.', 1),
    column('Id', 'string', '.metadata.uid', 'Its id.', 1),
  ],
}

/** A process of the server, whatever its roles. It is neither declared nor a record; `all` does not mean it. */
export const WORKER: RecordKind = {
  kind: 'Worker',
  plural: 'workers',
  singular: 'worker',
  shortNames: ['process', 'processes'],
  scope: 'Cluster',
  description: 'Worker is a process of the server.',
  notYetEnforced: false,
  columns: [
    column('Roles', 'string', '.status.roles', 'What it does.'),
    column('Status', 'string', '.status.phase', 'Expired: its lease is over, and nobody has taken over yet.'),
    column('Leads', 'string', '.status.leads', 'The leases it holds alone.'),
    column('Runs', 'integer', '.status.runs', 'Runs it moves now.'),
    column('Max', 'integer', '.spec.maxRuns', 'Runs it moves at once.'),
    column('Lease', 'integer', '.status.leaseSeconds', 'Seconds until others take over, unless it renews.'),
    column('Age', 'date', '.metadata.creationTimestamp', 'Time since it started.'),
    column('Version', 'string', '.spec.version', 'Its program.', 1),
    column('Id', 'string', '.metadata.uid', 'Its id: the writer in the log.', 1),
  ],
}

/** What an agent was asked for. As many as was ever asked for, so `all` does not mean it. */
export const TASK: RecordKind = {
  kind: 'Task',
  plural: 'tasks',
  singular: 'task',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Task is what an agent was asked for.',
  notYetEnforced: false,
  columns: [
    column('Status', 'string', '.status.phase', 'Where it is; leased: an instance works on it.'),
    column('Agent', 'string', '.spec.agentRef.name', 'Whom it is for.'),
    column('Try', 'integer', '.status.attempt', 'Counts from 1.'),
    column('Parts', 'string', '.status.progress', 'Parts that ended, of all.'),
    column('Age', 'date', '.metadata.creationTimestamp', 'Time since it was asked for.'),
    column('Asked by', 'string', '.status.actor', 'Who asked.', 1),
    column('Prompt', 'string', '.spec.prompt', 'What was asked.', 1),
    column('Error', 'string', '.status.error.message', 'Why it failed.', 1),
  ],
}

/** A change of the state repo that somebody proposes. */
export const PROPOSAL: RecordKind = {
  kind: 'Proposal',
  plural: 'proposals',
  singular: 'proposal',
  shortNames: ['prop'],
  scope: 'Namespaced',
  description: 'Proposal is a change of the state repo that somebody is to merge.',
  notYetEnforced: false,
  columns: [
    column('State', 'string', '.status.phase', 'Where it is.'),
    column('Risk', 'string', '.status.risk', 'Of what it would do.'),
    column('Title', 'string', '.spec.title', 'What it is about.'),
    column('Author', 'string', '.spec.author', 'Who proposed it.'),
    column('Waits for', 'string', '.status.conditions[?(@.type=="Mergeable")].message', 'Why it cannot be merged.'),
    column('Age', 'date', '.metadata.creationTimestamp', 'Time since it was opened.'),
    column('Branch', 'string', '.spec.branch', 'Where its commits are.', 1),
  ],
}

/** A step of a run. There are many, so `all` does not mean them. */
export const STEP: RecordKind = {
  kind: 'Step',
  plural: 'steps',
  singular: 'step',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Step is one step of a run.',
  notYetEnforced: false,
  columns: [
    column('Status', 'string', '.status.phase', 'Where it is.'),
    column('Kind', 'string', '.spec.kind', 'What sort of step it is.'),
    column('Try', 'integer', '.status.attempt', 'Counts from 1.'),
    column('Message', 'string', '.status.message', 'What it waits for, or why it failed.'),
    column('Age', 'date', '.metadata.creationTimestamp', 'Time since it started.'),
    column('Run', 'string', '.spec.runRef.name', 'What it is part of.', 1),
  ],
}

export const RECORD_KINDS: readonly RecordKind[] = [RUN, STEP, TASK, PROPOSAL, WORK_ITEM, WORKER]
