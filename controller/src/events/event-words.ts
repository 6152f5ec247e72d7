import { shortRevision } from '../lib/short-revision.ts'
import { msBetween, sizeText, tookText } from '../lib/took.ts'

export type Tone = 'good' | 'bad' | 'waits' | 'plain' | 'quiet'

/** What of an event is put into words. */
export interface TellingEvent {
  readonly actor: string
  readonly occurred_at: string
  readonly data: Data
}

/** What an event says; `took` is ` after 1.2s` where it ends something whose beginning is known. */
type Words = (event: TellingEvent, took: string) => readonly [tone: Tone, text: string]

/** The events of a run in words, by their names without `stateward.`. What stands before them names the step. */
export const EVENT_WORDS: Readonly<Record<string, Words>> = {
  'run.created': ({ data, actor }) => [
    'plain',
    `run ${data['run']} of ${data['blueprint'] || 'a plan of its own'} at ${shortRevision(text(data['revision']))} was created by ${actor} (${data['trigger']})`,
  ],
  'run.started': () => ['plain', 'run started'],
  'run.completed': ({ data }) => ['good', `run completed${lasted(data)}`],
  'run.failed': ({ data }) => ['bad', `run failed${lasted(data)}`],
  'run.cancelled': ({ data }) => ['bad', `run was cancelled${lasted(data)}`],
  'run.cancel.requested': ({ data, actor }) => ['waits', `${actor} asked the run to end${because(data)}`],
  'run.rebuilt': ({ actor }) => ['quiet', `${actor} had the rows of the run written again from its events`],
  'run.retried': ({ data, actor }) => [
    'plain',
    `${actor} had it go on as run ${data['child']}${data['from'] === null ? '' : ` from step ${data['from']}`}`,
  ],
  'run.rollback.started': ({ data, actor }) => ['waits', `${actor} has it undone by run ${data['child']}`],
  'run.step.retained': ({ data }) => ['quiet', `${data['status']} before, and taken over`],
  'run.step.started': ({ data }) => ['plain', `started (${data['kind']}${laterAttempt(data)})`],
  'run.step.completed': (_, took) => ['good', `completed${took}`],
  'run.step.failed': (_, took) => ['bad', `failed${took}`],
  'run.step.skipped': ({ data }) => ['quiet', `skipped${because(data)}`],
  'run.step.retried': ({ data, occurred_at }, took) => [
    'waits',
    `attempt ${data['attempt']} failed${took}; attempt ${data['next_attempt']} follows in ${tookText(msBetween(occurred_at, text(data['next_attempt_at'])))}`,
  ],
  'run.step.resumed': () => ['waits', 'taken up again after its process had died'],
  'run.step.quarantined': ({ data }) => [
    'waits',
    `nobody knows whether ${data['tool']} has done its work: its process died meanwhile`,
  ],
  'run.gate.opened': ({ data }) => ['waits', `waits for a decision: ${data['message']}`],
  'run.gate.seconded': ({ data, actor }) => [
    'waits',
    `approved by ${actor}, ${data['approvals']} of ${data['min_approvals']}${because(data)}`,
  ],
  'run.gate.approved': ({ data, actor }) => ['good', `approved by ${actor}${because(data)}`],
  'run.gate.rejected': ({ data, actor }) => ['bad', `rejected by ${actor}${because(data)}`],
  'run.gate.expired': () => ['waits', 'nobody decided in time'],
  'task.completed': () => ['good', 'its agent completed the task'],
  'task.failed': ({ data }) => ['bad', `its agent failed the task: ${data['message']}`],
  'task.cancelled': () => ['quiet', 'the task of its agent was taken back'],
  'task.requeued': ({ data }) => ['waits', `the task goes to another agent${because(data)}`],
  'artifact.stored': ({ data }) => [
    'quiet',
    `artifact ${data['name']} was stored (${data['kind']}${typeof data['byte_length'] === 'number' ? `, ${sizeText(data['byte_length'])}` : ''})`,
  ],
}

type Data = Readonly<Record<string, unknown>>

function text(value: unknown): string {
  return String(value ?? '')
}

function because({ reason }: Data): string {
  return typeof reason === 'string' && reason !== '' ? `: ${reason}` : ''
}

function lasted({ duration_ms: ms }: Data): string {
  return typeof ms === 'number' ? ` after ${tookText(ms)}` : ''
}

function laterAttempt({ attempt }: Data): string {
  return typeof attempt === 'number' && attempt > 1 ? `, attempt ${attempt}` : ''
}
