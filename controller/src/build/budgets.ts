import type { Caller } from '../api/caller.ts'
import type { ProposalVerbs } from '../api/ports/proposals.ts'
import { closeAccount, type Limit, openAccount } from '../budgets/accounts.ts'
import { FORECAST_DAYS, forecastOf } from '../budgets/forecast.ts'
import type { StoredAccount } from '../budgets/rows.ts'
import { windowAt } from '../budgets/window.ts'
import type { BudgetSpec } from '../kinds/budget/budget.schema.ts'
import { newCorrelationId } from '../lib/ids.ts'
import { isObject } from '../lib/json.ts'
import { formatUsd, parseUsd } from '../lib/usd.ts'
import type { BudgetReconcilerDeps } from '../reconcile/kinds/budget.ts'
import { SPAWNED, type World, type WorldObject } from '../reconcile/world.ts'
import type { Purse } from '../runs/ports.ts'
import { appendEvents } from '../store/log.ts'
import { noteProposal } from '../store/queries/budgets.ts'
import { sumOfScope, tokensOfScope } from '../store/queries/costs.ts'
import { wantedOf } from '../store/queries/reservations.ts'
import { descendantsOf } from '../store/queries/spenders.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'

const DAY_MS = 86_400_000
const CENT = 10_000_000n

const accountNameOf = ({ uid }: WorldObject): string => `Budget/${uid}`

/** What an accepted budget says, in whole numbers. */
function limitOf(object: WorldObject, spec: BudgetSpec): Limit {
  return {
    account: accountNameOf(object),
    namespace: object.namespace,
    name: object.name,
    scope: spec.scopeRef,
    // The schema lets nothing through that is no amount.
    max: parseUsd(spec.maxUsd) ?? 0n,
    period: spec.window ?? 'month',
    thresholds: spec.alertThresholdPercent ?? [],
    action: spec.action ?? 'Pause',
  }
}

/** What the reconciler of budgets needs. */
export function budgetDeps(store: Store, proposals: () => Pick<ProposalVerbs, 'set'>): BudgetReconcilerDeps {
  return {
    open: (object, spec) =>
      transact(store, async (tx) => {
        const { account, events } = await openAccount(tx, limitOf(object, spec), store.clock.now())
        if (events.length > 0) await appendEvents(tx, store, [...events])
        return account
      }),
    close: (object) =>
      transact(store, async (tx) => {
        const events = await closeAccount(tx, accountNameOf(object), store.clock.now())
        if (events.length > 0) await appendEvents(tx, store, [...events])
      }),
    proposeMore: (object, account) => proposeMore(store, proposals(), object, account),
    forecast: (account) => forecast(store, account),
    async lastDays(account) {
      const until = windowAt('day', store.clock.now()).start
      const spent = await spentBefore(store, account, until)
      const { input, output } = await tokensBefore(store, account, until)
      const tokens = input + output === 0 ? {} : { inputTokens: input, outputTokens: output }
      return { until: until.toISOString(), days: FORECAST_DAYS, spent: formatUsd(spent), ...tokens }
    },
  }
}

/** One line of a commit: enough for what waits, and at least a fifth more. */
async function proposeMore(
  store: Store,
  proposals: Pick<ProposalVerbs, 'set'>,
  object: WorldObject,
  account: StoredAccount,
): Promise<string | null> {
  if (account.row.proposal !== null) return account.row.proposal
  const { used, reserved, max } = account
  const wanted = used + reserved + (await wantedOf(store.engine, account.account))
  const fifth = (max * 6n) / 5n
  const more = roundUp(wanted > fifth ? wanted : fifth)
  if (more <= max) return null
  const caller: Caller = { actor: 'system:budgets', correlationId: newCorrelationId() }
  const field = { keys: ['spec', 'maxUsd'], value: numberOrText(more) }
  const reason = `${formatUsd(used)} of ${formatUsd(max)} USD are used in the window that began ${account.window.start.toISOString()}. Merging this lets what waits go on.`
  try {
    const { branch } = await proposals.set(object, field, { reason, merge: false }, caller)
    if (branch !== null) await transact(store, (tx) => noteProposal(tx, account.account, branch))
    return branch
  } catch (error) {
    // Also without a proposal it is said that nothing is left.
    store.log.warn(
      { budget: `${object.namespace}/${object.name}`, err: error },
      'a higher budget could not be proposed',
    )
    return null
  }
}

const roundUp = (nano: bigint): bigint => ((nano + CENT - 1n) / CENT) * CENT

/** As people write it: `25`, `0.05`. */
function numberOrText(nano: bigint): number | string {
  const text = formatUsd(nano)
  return parseUsd(Number(text)) === nano ? Number(text) : text
}

/** At the pace of the last days. */
async function forecast(store: Store, account: StoredAccount): Promise<bigint> {
  const now = store.clock.now()
  const spent = await spentBefore(store, account, now)
  return forecastOf({ used: account.used, end: account.window.end }, spent, now)
}

async function spentBefore(store: Store, account: StoredAccount, until: Date): Promise<bigint> {
  return sumOfScope(store.reader, await scopeOf(store, account), lastDaysBefore(until), until)
}

async function tokensBefore(store: Store, account: StoredAccount, until: Date) {
  return tokensOfScope(store.reader, await scopeOf(store, account), lastDaysBefore(until), until)
}

async function scopeOf(store: Store, { row }: StoredAccount) {
  const { namespace, scope_kind: kind, scope_name: name } = row
  return { kind, namespace, name, agents: kind === 'Agent' ? await descendantsOf(store.reader, namespace, name) : [] }
}

const lastDaysBefore = (until: Date): Date => new Date(until.getTime() - FORECAST_DAYS * DAY_MS)

/** Whether any budget may limit what is spent there: then it has to be asked for. Worked out once for each state of the world. */
export function limitsOf(world: World): Purse['limits'] {
  let known: { readonly version: number; readonly namespaces: ReadonlySet<string> } | null = null
  return ({ namespace, agent }) => {
    // What it was given when it was spawned limits it.
    if (agent !== null && world.get(`Agent/${namespace}/${agent}`)?.source === SPAWNED) return true
    if (known?.version !== world.version) known = { version: world.version, namespaces: limitedNamespaces(world) }
    return known.namespaces.has(namespace)
  }
}

function limitedNamespaces(world: World): ReadonlySet<string> {
  const limited = new Set<string>()
  for (const { spec, namespace, deleting } of world.ofKind('Budget').values()) {
    const scope = spec['scopeRef']
    if (deleting || !isObject(scope) || scope['kind'] === 'ModelProvider') continue
    limited.add(scope['kind'] === 'Environment' ? String(scope['name']) : namespace)
  }
  return limited
}
