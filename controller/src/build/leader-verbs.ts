import type { ApprovalVerbs } from '../api/ports/approvals.ts'
import type { DraftVerbs } from '../api/ports/drafts.ts'
import type { DriftVerbs } from '../api/ports/drift.ts'
import type { InterventionVerbs } from '../api/ports/interventions.ts'
import type { McpServerVerbs } from '../api/ports/mcp-servers.ts'
import type { ObjectVerbs } from '../api/ports/objects.ts'
import type { ProposalDesk, ProposalVerbs } from '../api/ports/proposals.ts'
import type { RepositoryReads } from '../api/ports/repository.ts'
import type { SourceVerbs } from '../api/ports/sources.ts'
import type { SpawnVerbs } from '../api/ports/spawning.ts'
import type { Json } from '../lib/json.ts'

/** Verbs that need what only the leader has: the state repo and the queue of objects. */
export interface LeaderVerbs {
  readonly objects: ObjectVerbs
  readonly sources: SourceVerbs
  readonly proposals: ProposalVerbs & ProposalDesk
  readonly drafts: DraftVerbs
  readonly approvals: ApprovalVerbs
  readonly repository: RepositoryReads
  readonly interventions: InterventionVerbs
  readonly drift: DriftVerbs
  readonly mcpServers: McpServerVerbs
  readonly spawning: SpawnVerbs
}

/** Every one of them, so that another process can ask for it by its name; nothing else is ever called. */
export const LEADER_VERBS: { readonly [G in keyof LeaderVerbs]: Readonly<Record<keyof LeaderVerbs[G], true>> } = {
  objects: { reconcile: true, suspend: true, resume: true },
  sources: { sync: true, approveDeletions: true },
  proposals: {
    ...{ set: true, create: true, update: true, remove: true },
    ...{ propose: true, reject: true, merge: true, heard: true, diff: true },
  },
  drafts: { save: true, validate: true, promote: true },
  approvals: { held: true, decide: true, commit: true, decideProposal: true },
  repository: { commits: true, change: true, text: true },
  interventions: { intervene: true },
  drift: { enforce: true, adopt: true },
  mcpServers: { lock: true, beginLogin: true, finishLogin: true },
  spawning: { spawn: true, end: true },
}

const TAG = '$is'

/** An argument or an answer as JSON. Times stay times, and a signal becomes the signal of whoever does it. */
export function toJson(value: unknown): Json {
  if (value instanceof Date) return { [TAG]: 'time', value: value.toISOString() }
  if (value instanceof AbortSignal) return { [TAG]: 'signal' }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json
  const fields = Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, toJson(field)]]))
  const record = Object.fromEntries(fields) as Json & object
  return Object.hasOwn(record, TAG) ? { [TAG]: 'record', value: record } : record
}

/** What `toJson` was given. */
export function fromJson(json: Json, signal: AbortSignal): unknown {
  const inner = (value: Json) => fromJson(value, signal)
  if (Array.isArray(json)) return json.map(inner)
  if (typeof json !== 'object' || json === null) return json
  const fields = (record: Json) =>
    Object.fromEntries(Object.entries(record as object).map(([name, field]) => [name, inner(field as Json)]))
  if (!Object.hasOwn(json, TAG)) return fields(json)
  const { [TAG]: tag, value } = json as { readonly [TAG]: Json; readonly value: Json }
  if (tag === 'signal') return signal
  return tag === 'time' ? new Date(String(value)) : fields(value)
}
