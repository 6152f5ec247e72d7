/**
 * Who may agree to something. One rule for gates, changes and reviews of a forge:
 *
 * - a change: nobody in the lineage of whoever proposed it counts except a human, and never its author;
 * - a result (the output of a step): those who worked on it and whom they spawned never count; an agent counts where it is
 *   named, or stands above the workers and `parent` is named. A human may review what he started, unless that is refused.
 */

export interface Approver {
  /** `user:ada`, `agent:default/sre`, `key:ci`. */
  readonly principal: string
  readonly roles: readonly string[]
  readonly teams: readonly string[]
}

export interface ApproverSet {
  /** Empty = everybody who may approve. */
  readonly fromAnyOf: readonly string[]
  readonly purpose: 'change' | 'result'
  /** Of a result: whoever started the run may review it. Default true. */
  readonly selfApproval?: boolean
}

/** Where what is decided comes from. */
export interface Lineage {
  /** Who made it: authors of a change, whoever started a run. */
  readonly authors: readonly string[]
  /** Agents that never count: of a change the whole lineage of its authors, of a result the workers and those below them. */
  readonly members: readonly string[]
  /** Agents above the workers, up `parentRef`. */
  readonly parents: readonly string[]
}

export const NO_LINEAGE: Lineage = { authors: [], members: [], parents: [] }

export type Ruling = { readonly allowed: true } | { readonly allowed: false; readonly why: string }

const ALLOWED: Ruling = { allowed: true }
const refused = (why: string): Ruling => ({ allowed: false, why })

/** A person, as far as a credential, a signature or a forge tells: keys, agents and machines are none. */
export function isHuman(principal: string): boolean {
  return /^(?:user|git|github):/.test(principal)
}

/** Whether this approver's word counts. Pure; says why not in words for people. */
export function mayApprove(approver: Approver, set: ApproverSet, lineage: Lineage): Ruling {
  const { principal } = approver
  const human = isHuman(principal)
  const isAuthor = lineage.authors.includes(principal)
  if (set.purpose === 'change' && isAuthor) return refused(`${principal} made the change`)
  if (set.purpose === 'result' && isAuthor && set.selfApproval === false)
    return refused(`${principal} started the run, and somebody else is asked for`)
  if (!human && lineage.members.includes(principal))
    return refused(
      set.purpose === 'change'
        ? `${principal} is of the lineage of whoever proposed it`
        : `${principal} is of the lineage of whoever did it`,
    )
  if (principal.startsWith('agent:')) return agentMayApprove(principal, set, lineage)
  if (set.fromAnyOf.length === 0) return human ? ALLOWED : refused(`${principal} is no person`)
  const sets = setsOf(approver)
  if (set.fromAnyOf.some((each) => sets.has(plain(each)))) return ALLOWED
  return refused(`${principal} is none of ${set.fromAnyOf.join(', ')}`)
}

/** By its name, or as the one above: a role or a team of people is not an agent's to speak for. */
function agentMayApprove(principal: string, { fromAnyOf, purpose }: ApproverSet, { parents }: Lineage): Ruling {
  const names = new Set(namesOf(principal).map(plain))
  if (fromAnyOf.some((each) => names.has(plain(each)))) return ALLOWED
  if (purpose === 'result' && fromAnyOf.includes('parent') && parents.includes(principal)) return ALLOWED
  return refused(`${principal} is an agent that is not named as an approver`)
}

function setsOf({ principal, roles, teams }: Approver): ReadonlySet<string> {
  return new Set(
    [...namesOf(principal), ...roles.map((role) => `role:${role}`), ...teams.map((team) => `team:${team}`)].map(plain),
  )
}

/** `agent:default/sre` is also `agent:sre` and `principal:sre`: names are unique where they are approved. */
function namesOf(principal: string): string[] {
  const at = principal.indexOf(':')
  const [word, name] = [principal.slice(0, at), principal.slice(at + 1)]
  const short = word === 'agent' ? name.slice(name.indexOf('/') + 1) : name
  return [principal, `principal:${principal}`, `principal:${name}`, `${word}:${short}`, `principal:${short}`]
}

/** Roles are written in many ways: `OwnerAdmin`, `owner_admin` and `owner-admin` are one. */
function plain(name: string): string {
  return name.startsWith('role:') ? `role:${name.slice(5).toLowerCase().replaceAll(/[-_ ]/g, '')}` : name
}
