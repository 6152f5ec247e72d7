import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { DraftCaller, DraftDesk, Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

/** Blueprints and packs before they are in force: saved, validated, promoted. Each draft is a proposal of the state repo. */

interface SaveParameters {
  readonly draft_type: 'blueprint' | 'pack'
  readonly name: string
  readonly trigger_event_type?: string
  readonly definition: JsonObject | string
  readonly notes?: string
  readonly source_run_id?: string
  readonly draft_id?: string
}

async function save(call: Invocation, { drafts }: ToolDependencies): Promise<Json> {
  const { draft_type, name, definition, notes = '', ...more } = call.parameters as unknown as SaveParameters
  const by = callerOf(call)
  const saved = await deskOf(drafts).save(
    {
      ...{ namespace: call.use.namespace, kind: draft_type, name, definition, notes },
      trigger: more.trigger_event_type ?? null,
      runId: more.source_run_id ?? by.runId,
      draftId: more.draft_id ?? null,
    },
    by,
  )
  return { draft_id: saved.draft_id, revision: saved.revision, status: 'draft' }
}

async function validate(call: Invocation, { drafts }: ToolDependencies): Promise<Json> {
  const found = await deskOf(drafts).validate(idOf(call), callerOf(call))
  return found as unknown as JsonObject
}

async function promote(call: Invocation, { drafts }: ToolDependencies): Promise<Json> {
  const { kind, id, ...promoted } = await deskOf(drafts).promote(idOf(call), callerOf(call))
  return { ...promoted, [kind === 'blueprint' ? 'blueprint_id' : 'pack_id']: id, status: 'active' }
}

function idOf({ parameters }: Invocation): string {
  return parameters['draft_id'] as string
}

function callerOf({ actor, correlationId, use }: Invocation): DraftCaller {
  return { actor, correlationId, runId: use.runId ?? null }
}

function deskOf(drafts: ToolDependencies['drafts']): DraftDesk {
  if (drafts === undefined) throw fail('SW_NOT_READY', 'there is no state repo to draft for')
  return drafts
}

const uuid = (description: string): JsonObject => ({ type: 'string', format: 'uuid', description })
const onlyDraft: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['draft_id'],
  properties: { draft_id: uuid('The draft, as drafts.save answers it.') },
}

const cost = { estimatedCents: 0, estimatedLatencyMs: 1000 }
const common = { usesWorkspace: false, timeout: '2m', cost } as const

export const draftsSave: BuiltinTool = {
  ...common,
  name: 'drafts.save',
  aliases: ['drafts_save'],
  description:
    'Saves a draft of a blueprint or a pack: a commit on the branch of a proposal. An open draft of the same author about the same gets another revision.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['draft_type', 'name', 'definition'],
    properties: {
      draft_type: { enum: ['blueprint', 'pack'] },
      name: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' },
      trigger_event_type: {
        type: 'string',
        minLength: 1,
        maxLength: 253,
        description: 'The event that starts it, where the definition does not say.',
      },
      definition: {
        type: ['string', 'object'],
        maxLength: 1_000_000,
        description:
          'The spec of a blueprint, its whole document, or a flat file; of a pack {"documents": […]}. Text is YAML.',
      },
      notes: { type: 'string', maxLength: 10_000, description: 'Why.' },
      source_run_id: uuid('The run it comes from. Default: the one that calls.'),
      draft_id: uuid('The draft that is saved again. Default: the open one of that name.'),
    },
  },
  outputSchema: {
    type: 'object',
    required: ['draft_id', 'revision', 'status'],
    properties: { draft_id: uuid('The draft.'), revision: { type: 'integer' }, status: { const: 'draft' } },
  },
  risk: 'low',
  sideEffects: 'reversible',
  // The same definition again is no new revision.
  idempotent: true,
  run: save,
}

export const blueprintsValidate: BuiltinTool = {
  ...common,
  name: 'blueprints.validate',
  aliases: ['blueprints_validate'],
  description:
    'Checks what promoting a draft would come to, and keeps the report as an artifact. Fails with invalid_schema when it does not fit the schema of its kind.',
  inputSchema: onlyDraft,
  outputSchema: {
    type: 'object',
    required: ['draft_id', 'revision', 'is_valid', 'issues'],
    properties: {
      draft_id: uuid('The draft.'),
      revision: { type: 'integer' },
      is_valid: { type: 'boolean' },
      issues: { type: 'array', items: { type: 'object' } },
      artifact_id: { type: ['string', 'null'] },
    },
  },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  run: validate,
}

export const blueprintsPromote: BuiltinTool = {
  ...common,
  name: 'blueprints.promote',
  aliases: ['blueprints_promote'],
  description:
    'Merges the proposal of a validated draft and tags its version, which stays as it is. Whatever approvals policies ask for have to be there. For steps of blueprints, and for agents.',
  inputSchema: onlyDraft,
  outputSchema: {
    type: 'object',
    required: ['draft_id', 'version', 'status', 'tag', 'commit'],
    properties: {
      draft_id: uuid('The draft.'),
      blueprint_id: { type: 'string' },
      pack_id: { type: 'string' },
      version: { type: 'string' },
      status: { const: 'active' },
      tag: { type: 'string' },
      commit: { type: 'string' },
      proposal: { type: 'string' },
    },
  },
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: false,
  run: promote,
}
