import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { countsOf } from '../assemble.ts'
import type { Change } from '../change-set.ts'
import type { Effect, Risk } from '../effects/effect.ts'
import { worst } from '../effects/effect.ts'
import type { PlannedEffects } from '../effects/effects-of.ts'
import { type PolicyVersion, planDigest } from '../plan-digest.ts'
import type { Plan } from '../planned.ts'
import type { Lineage } from './may-approve.ts'
import { askedByText, type ChangeVerdict, requirementText } from './requirement.ts'
import { type ChangeDecision, type Tally, tally } from './tally.ts'

/** What the plan is told of who decides: gathered before, so that deciding is pure. */
export interface Governance {
  readonly verdictFor: (
    change: Change,
    does: { readonly risk: Risk; readonly effects: readonly Effect[] },
  ) => ChangeVerdict
  readonly decisionsOf: (key: ObjectKey) => readonly ChangeDecision[]
  readonly lineageOf: (key: ObjectKey) => Lineage
  /** Why a change waits for a time, in words; null = it need not. */
  readonly waitFor?: (change: Change) => string | null
}

/** A plan with what it does and what of it has to wait. */
export type GovernedPlan = Plan &
  PlannedEffects & {
    readonly policies: readonly PolicyVersion[]
    /** Changes that somebody is asked about, by object; those that were agreed to, too. */
    readonly asked: ReadonlyMap<ObjectKey, AskedChange>
  }

/** A change with whom policies and owners ask, and what was said about it. */
export interface AskedChange {
  readonly change: Change
  readonly verdict: ChangeVerdict
  readonly lineage: Lineage
  readonly decisions: readonly ChangeDecision[]
}

interface Ruling extends AskedChange {
  readonly tally: Tally
}

/**
 * Holds back every change that policy denies, or asks an approval for that is not there: the object keeps its last good
 * revision and the rest goes on. What takes part in a held object (its template, its environment) waits with it, and what
 * inherits from a held one too: else either would be changed without anybody's word. Pure.
 */
export function governed(made: Plan, does: PlannedEffects, governance: Governance | null): GovernedPlan {
  if (governance === null)
    return { ...made, ...does, policies: [], asked: new Map(), digest: planDigest(made.changes, does.effects, []) }
  const effectsBy = Map.groupBy(does.effects, keyOf)
  const rulings = new Map<ObjectKey, Ruling>()
  for (const change of made.changes) {
    if (!isMade(change) || change.fromDigest === change.toDigest) continue
    const key = keyOf(change)
    const effects = effectsBy.get(key) ?? []
    const verdict = governance.verdictFor(change, { risk: worst(effects.map(({ risk }) => risk)), effects })
    if (verdict.effect === 'allow' && verdict.advisory.length === 0 && verdict.by == null) continue
    const [decisions, lineage] = [governance.decisionsOf(key), governance.lineageOf(key)]
    const count = tally(change, decisions, verdict.requirements, lineage)
    rulings.set(key, { change, verdict, lineage, decisions, tally: count })
  }
  const held = new Map<ObjectKey, Held>()
  for (const [key, ruling] of rulings) {
    const why = heldFor(key, ruling)
    if (why !== null) held.set(key, why)
  }
  for (const change of made.changes) {
    if (!isMade(change) || change.fromDigest === change.toDigest || held.has(keyOf(change))) continue
    const message = governance.waitFor?.(change) ?? null
    if (message !== null) held.set(keyOf(change), { reason: 'OutsideWindow', message })
  }
  holdKin(made, held)
  const changes = made.changes.map((change) => {
    const ruling = rulings.get(keyOf(change))
    const noted = ruling === undefined ? change : { ...change, ...notesOf(ruling) }
    const why = held.get(keyOf(change))
    return why === undefined || !isMade(change)
      ? noted
      : { ...noted, ...why, action: 'blocked' as const, held: change.action }
  })
  const policies = [...rulings.values()].flatMap(({ verdict }) =>
    verdict.requirements.flatMap(({ askedBy }) => (askedBy.kind === 'policy' ? [askedBy] : [])),
  )
  return {
    ...made,
    ...does,
    changes,
    counts: countsOf(changes, made.counts.unchanged),
    pending: new Set([...made.pending, ...held.keys()]),
    policies,
    asked: new Map([...rulings].filter(([, { verdict }]) => verdict.requirements.length > 0)),
    digest: planDigest(changes, does.effects, policies),
  }
}

interface Held {
  readonly reason: 'ApprovalRequired' | 'PolicyDenied' | 'OutsideWindow'
  readonly message: string
}

function isMade(change: Change): change is Change & { readonly action: 'create' | 'update' | 'delete' } {
  return change.action === 'create' || change.action === 'update' || change.action === 'delete'
}

function heldFor(key: ObjectKey, { verdict, tally: count }: Ruling): Held | null {
  if (verdict.effect === 'allow') return null
  if (verdict.effect === 'deny') return { reason: 'PolicyDenied', message: verdict.reason }
  return count.approved ? null : { reason: 'ApprovalRequired', message: waitsFor(key, verdict, count) }
}

/** What is missing, why what is there does not count, and the command that helps. */
function waitsFor(key: ObjectKey, verdict: ChangeVerdict, count: Tally): string {
  const asked = verdict.requirements
    .map((each) => {
      const missing = count.missing.find(({ requirement }) => requirement === each)
      const has = missing !== undefined && missing.have > 0 ? `, has ${missing.have}` : ''
      return missing === undefined && count.missing.length > 0
        ? null
        : `${requirementText(each)} (${askedByText(each.askedBy)}${has})`
    })
    .filter((text) => text !== null)
  const human = count.missing.length === 0 && count.needsHuman ? ', of a person' : ''
  const parts = [
    count.rejectedBy === null ? `waits for ${asked.join(' and ')}${human}` : `rejected by ${count.rejectedBy}`,
    ...count.ignored.map(({ why }) => `${why}, so that does not count`),
    ...(verdict.reason === '' ? [] : [verdict.reason]),
  ]
  return `${parts.join('; ')}: \`${approveCommand(key)}\``
}

/** The command that approves the change of one object. */
export function approveCommand(key: ObjectKey): string {
  const parts = key.split('/')
  const [kind, name] = [parts[0]!.toLowerCase(), parts.at(-1)!]
  const namespace = parts.length === 3 && parts[1] !== 'default' ? ` -n ${parts[1]}` : ''
  return `stateward approve ${kind}/${name}${namespace}`
}

function notesOf({ verdict, tally: count }: Ruling): Pick<Change, 'approval' | 'advisory' | 'verdict'> {
  const asks = verdict.requirements.map(({ min, fromAnyOf, askedBy }) => ({ min, fromAnyOf, by: askedByText(askedBy) }))
  return {
    ...(verdict.by == null
      ? {}
      : {
          verdict: {
            effect: verdict.effect,
            by: verdict.by,
            ...(verdict.autoMerge === true ? { autoMerge: true } : {}),
          },
        }),
    ...(asks.length === 0 ? {} : { approval: { asks, approvers: count.approvers, rejectedBy: count.rejectedBy } }),
    ...(verdict.advisory.length === 0 ? {} : { advisory: verdict.advisory }),
  }
}

/** Grows the set until nothing that waits is changed by what does not, and the other way round. */
function holdKin(made: Plan, held: Map<ObjectKey, Held>): void {
  if (held.size === 0) return
  const changing = new Set(made.changes.filter(isMade).map(keyOf))
  const kin = [...made.effective].flatMap(([key, { from }]) =>
    changing.has(key) ? from.filter((other) => changing.has(other)).map((other) => [key, other] as const) : [],
  )
  for (let grown = true; grown; ) {
    grown = false
    for (const [key, other] of kin) {
      for (const [waits, follows] of [
        [key, other],
        [other, key],
      ] as const) {
        const why = held.get(waits)
        if (why === undefined || held.has(follows)) continue
        held.set(follows, { reason: why.reason, message: `waits with ${waits}, which ${why.message}` })
        grown = true
      }
    }
  }
}
