import { agent } from './agent/agent.kind.ts'
import { agentTemplate } from './agent-template/agent-template.kind.ts'
import { approval } from './approval/approval.kind.ts'
import { blueprint } from './blueprint/blueprint.kind.ts'
import { breaker } from './breaker/breaker.kind.ts'
import { budget } from './budget/budget.kind.ts'
import { dashboard } from './dashboard/dashboard.kind.ts'
import type { KindDefinition } from './definition.ts'
import { environment } from './environment/environment.kind.ts'
import { eventType } from './event-type/event-type.kind.ts'
import { host } from './host/host.kind.ts'
import { mcpServer } from './mcp-server/mcp-server.kind.ts'
import { modelProvider } from './model-provider/model-provider.kind.ts'
import { modelRoute } from './model-route/model-route.kind.ts'
import { notificationRoute } from './notification-route/notification-route.kind.ts'
import { operation } from './operation/operation.kind.ts'
import { policy } from './policy/policy.kind.ts'
import { principal } from './principal/principal.kind.ts'
import { project } from './project/project.kind.ts'
import { secretStore } from './secret-store/secret-store.kind.ts'
import { source } from './source/source.kind.ts'
import { tool } from './tool/tool.kind.ts'

/** Every kind that can be declared; adding one is a folder and a line here. */
export const KINDS: readonly KindDefinition[] = [
  source,
  environment,
  host,
  principal,
  project,
  agentTemplate,
  agent,
  mcpServer,
  tool,
  eventType,
  blueprint,
  operation,
  approval,
  policy,
  budget,
  breaker,
  secretStore,
  notificationRoute,
  modelProvider,
  modelRoute,
  dashboard,
]

const byKind = new Map(KINDS.map((definition) => [definition.kind, definition]))

const byWord = new Map(
  KINDS.flatMap((definition) =>
    [definition.kind.toLowerCase(), definition.plural, definition.singular, ...definition.shortNames].map(
      (word) => [word, definition] as const,
    ),
  ),
)

/** By the word of a manifest: `Agent`. */
export function kindOf(kind: string): KindDefinition | undefined {
  return byKind.get(kind)
}

/** By any word people use, in any case: `agents`, `agent`, `ag`, `Agent`. */
export function kindByPlural(word: string): KindDefinition | undefined {
  return byWord.get(word.toLowerCase())
}
