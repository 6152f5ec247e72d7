import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewEvent } from '../store/ports.ts'
import type { ProposalRow } from '../store/queries/proposals.ts'

type Told = Pick<
  ProposalRow,
  'proposal_id' | 'title' | 'author' | 'branch' | 'head' | 'namespace' | 'run_id' | 'correlation_id'
>

/** `stateward.proposal.<verb>` about a proposal that has a row. */
export function proposalEvent(
  verb: Exclude<VerbOf<'stateward.proposal'>, 'opened'>,
  row: Told,
  by: { readonly at: Date; readonly actor: string },
  more: JsonObject = {},
): NewEvent {
  const { proposal_id: proposal, title, author, branch, head } = row
  return { ...frame(verb, row, by), data: { proposal, title, author, branch, head, ...more } }
}

/** The object a proposal is about, where it is one. */
export interface About {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly file: string
  readonly reason: string | null
}

export function openedEvent(
  row: Told,
  about: About | null,
  by: { readonly at: Date; readonly actor: string },
): NewEvent {
  const { proposal_id: proposal, title, author, branch, head: commit } = row
  const { kind = null, namespace = null, name = null, file = null, reason = null } = about ?? {}
  return {
    ...frame('opened', row, by),
    data: { proposal, title, author, kind, namespace, name, file, reason, branch, commit, merged: false },
  }
}

function frame(
  verb: VerbOf<'stateward.proposal'>,
  row: Told,
  { at, actor }: { readonly at: Date; readonly actor: string },
) {
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.proposal.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: row.namespace === '' ? 'default' : row.namespace,
    actor,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    resource: { type: 'Proposal', id: row.proposal_id },
  }
}
