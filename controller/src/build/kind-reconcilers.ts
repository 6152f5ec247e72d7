import type { Agents } from '../agents/agents.ts'
import type { CompiledPlan } from '../blueprints/compiled-plan.ts'
import { keyOf } from '../kinds/resource.ts'
import { placeOf } from '../lib/issue.ts'
import type { JsonObject } from '../lib/json.ts'
import { positionOf } from '../parse/positions.ts'
import type { DriftKeeper } from '../reconcile/drift/keeper.ts'
import { type AgentReconcilerDeps, agentReconciler } from '../reconcile/kinds/agent.ts'
import { type ApprovalReconcilerDeps, approvalReconciler } from '../reconcile/kinds/approval.ts'
import { blueprintReconciler } from '../reconcile/kinds/blueprint.ts'
import { breakerReconciler } from '../reconcile/kinds/breaker.ts'
import { type BudgetReconcilerDeps, budgetReconciler } from '../reconcile/kinds/budget.ts'
import { declarationReconciler } from '../reconcile/kinds/declaration.ts'
import { hostReconciler } from '../reconcile/kinds/host.ts'
import { type McpServerReconcilerDeps, mcpServerReconciler } from '../reconcile/kinds/mcp-server.ts'
import { type ModelProviderReconcilerDeps, modelProviderReconciler } from '../reconcile/kinds/model-provider.ts'
import { type ModelRouteReconcilerDeps, modelRouteReconciler } from '../reconcile/kinds/model-route.ts'
import { notificationRouteReconciler } from '../reconcile/kinds/notification-route.ts'
import { policyReconciler } from '../reconcile/kinds/policy.ts'
import { type SecretStoreReconcilerDeps, secretStoreReconciler } from '../reconcile/kinds/secret-store.ts'
import { type SourceReconcilerDeps, sourceReconciler } from '../reconcile/kinds/source.ts'
import { type ToolReconcilerDeps, toolReconciler } from '../reconcile/kinds/tool.ts'
import type { KindReconciler } from '../reconcile/runtime/reconciler.ts'
import { policyVersionRow } from '../reconcile/sync/policy-versions.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import type { LongRuns } from '../runs/long-runs.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import type { HeldBack } from '../runs/start/held-back.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Problem } from '../status/writers/git-status-writer.ts'
import { notificationCounts } from '../store/queries/notifications.ts'
import { countOpenRuns } from '../store/queries/open-runs.ts'
import { insertPlan, isPlanStored } from '../store/queries/plans.ts'
import { decisionsOf, insertPolicyVersions } from '../store/queries/policies.ts'
import { dropSecretFile, keepSecretFile, secretFile } from '../store/queries/secret-files.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { breakerDeps } from './breakers.ts'
import { hostViewOf } from './hosts.ts'
import { PARSE_OPTIONS, pointerInFile } from './parse-options.ts'
import type { OpenSource } from './source.ts'
import { SOURCE_NAME } from './state-repo.ts'

export interface ReconcilerDeps {
  readonly store: Store
  readonly world: World
  readonly source: OpenSource
  readonly sync: () => SourceSync
  readonly agents: Agents
  readonly accepted: Map<string, AcceptedBlueprint>
  readonly builtinToolSchema: (name: string) => JsonObject | null
  readonly statusProblem: () => Problem | null
  readonly cluster: NonNullable<SourceReconcilerDeps['cluster']> | null
  readonly verifies: boolean
  readonly heldBack: HeldBack
  readonly longRuns: Pick<LongRuns, 'of'>
  readonly blueprintsChanged: () => void
  readonly approvals: ApprovalReconcilerDeps
  readonly budgets: BudgetReconcilerDeps
  readonly secrets: Secrets
  readonly mcpServers: McpServerReconcilerDeps
  readonly tools: ToolReconcilerDeps
  readonly drift: DriftKeeper
  readonly modelAgents: Pick<AgentReconcilerDeps, 'keepPrompt' | 'whoAnswers'>
  readonly models: {
    readonly provider: ModelProviderReconcilerDeps
    readonly route: ModelRouteReconcilerDeps
  }
}

const DECLARATIONS = ['AgentTemplate', 'Environment', 'Principal', 'Project', 'EventType', 'Operation', 'Dashboard']

/** How each kind is brought to what was declared. */
export function kindReconcilers(deps: ReconcilerDeps): readonly KindReconciler[] {
  return [
    ...DECLARATIONS.map(declarationReconciler),
    sourceReconciler({
      sync: (name) => (name === SOURCE_NAME ? deps.sync() : null),
      statusProblem: deps.statusProblem,
      cluster: deps.cluster,
      verifies: deps.verifies,
    }),
    approvalReconciler(deps.approvals),
    budgetReconciler(deps.budgets),
    breakerReconciler(breakerDeps(deps.store, deps.world)),
    policyReconciler({
      keepVersion: policyKeeper(deps.store),
      decisionsSince: (policy, since) => decisionsOf(deps.store.reader, policy, since),
    }),
    secretStoreReconciler(secretStoreDeps(deps)),
    notificationRouteReconciler({
      counts: (route) => notificationCounts(deps.store.reader, route),
      standing: (secret) => deps.secrets.check(secret),
    }),
    modelProviderReconciler(deps.models.provider),
    modelRouteReconciler(deps.models.route),
    mcpServerReconciler(deps.mcpServers),
    toolReconciler(deps.tools),
    hostReconciler({ hostOf: hostViewOf(deps.store, deps.world) }),
    agentReconciler({
      ensure: (target) => deps.agents.ensure(target),
      treeOf: (object, path) => deps.source.treeOf(object, path),
      ...deps.modelAgents,
      isolated: false,
      isEnforced: (uid) => deps.drift.isEnforcing(uid, 'replicas'),
    }),
    blueprintReconciler({
      toolSchema: (name, namespace) => declaredToolSchema(deps.world, name, namespace) ?? deps.builtinToolSchema(name),
      placesOf: (object) => placesOf(deps.source, object),
      find: (namespace, name) => acceptedBlueprint(deps.world, namespace, name),
      accepted: deps.accepted,
      keepPlan: planKeeper(deps.store),
      openRuns: (uid) => countOpenRuns(deps.store.reader, uid),
      longRuns: (uid) => deps.longRuns.of(uid),
      heldBack: (uid) => deps.heldBack.of(uid),
      changed: deps.blueprintsChanged,
    }),
  ]
}

/** Keeps a version that is not kept yet; asked about each once. */
function policyKeeper(store: Store): (object: WorldObject, now: Date) => Promise<void> {
  const kept = new Set<string>()
  return async (object, now) => {
    const key = `${object.uid}@${object.generation}`
    if (kept.has(key)) return
    await transact(store, (tx) => insertPolicyVersions(tx, [policyVersionRow(object, 'system', now)]))
    kept.add(key)
  }
}

function secretStoreDeps({ store, source, secrets }: ReconcilerDeps): SecretStoreReconcilerDeps {
  return {
    async keepFile(object, path) {
      const oid = await source.treeOf(object, path)
      if (oid === null) return null
      if ((await secretFile(store.reader, object.name))?.oid === oid) return oid
      const file = { path, oid, mode: '100644' }
      for await (const { bytes } of source.source.read([file], { maxBytes: PARSE_OPTIONS.limits.maxFileBytes })) {
        if (bytes === null) return null
        const content = new TextDecoder().decode(bytes)
        await transact(store, (tx) => keepSecretFile(tx, object.name, { oid, content }, store.clock.now()))
      }
      return oid
    },
    async dropFile(name) {
      if ((await secretFile(store.reader, name)) !== null) await transact(store, (tx) => dropSecretFile(tx, name))
    },
    async look(name) {
      const [found] = await secrets.list(`SecretStore/${name}`)
      if (found === undefined) return { secrets: null }
      return found.problem === null ? { secrets: found.secrets?.length ?? null } : { problem: found.problem }
    },
  }
}

/** Stores a plan that is not stored yet; asked about each digest once. */
function planKeeper(store: Store): (digest: string, plan: CompiledPlan) => Promise<void> {
  const kept = new Set<string>()
  return async (digest, plan) => {
    if (kept.has(digest)) return
    if (!(await isPlanStored(store.reader, digest)))
      await transact(store, (tx) => insertPlan(tx, digest, plan, store.clock.now()))
    kept.add(digest)
  }
}

function declaredToolSchema(world: World, name: string, namespace: string): JsonObject | null {
  for (const tool of world.ofKind('Tool').values()) {
    if (tool.namespace !== namespace || tool.deleting) continue
    const aliases = tool.spec['aliases']
    if (tool.name === name || (Array.isArray(aliases) && aliases.includes(name)))
      return (tool.spec['inputSchema'] as JsonObject | undefined) ?? {}
  }
  return null
}

function acceptedBlueprint(world: World, namespace: string, name: string) {
  const object = world.get(keyOf({ kind: 'Blueprint', namespace, name }))
  return object === undefined || object.deleting ? null : { object, spec: world.effective(object) }
}

/** Pointers of an object as `file:line:column` of its document. */
async function placesOf({ source }: OpenSource, object: WorldObject): Promise<(pointer: string) => string | null> {
  let text: string | null = null
  const file = { path: object.file, oid: object.oid, mode: '100644' }
  for await (const { bytes } of source.read([file], { maxBytes: PARSE_OPTIONS.limits.maxFileBytes })) {
    if (bytes !== null) text = new TextDecoder().decode(bytes)
  }
  return (pointer) => {
    if (text === null) return object.file
    const position = positionOf(text, object.document, pointerInFile(text, object.document, pointer))
    return placeOf({ file: object.file, ...position })
  }
}
