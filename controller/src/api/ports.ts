import type { DeclaredEventTypes } from '../events/declared-types.ts'
import type { AgentProtocol } from './ports/agent-protocol.ts'
import type { AgentReaders } from './ports/agents.ts'
import type { ApprovalVerbs } from './ports/approvals.ts'
import type { Artifacts } from './ports/artifacts.ts'
import type { DraftVerbs } from './ports/drafts.ts'
import type { DriftVerbs } from './ports/drift.ts'
import type { Fleet } from './ports/fleet.ts'
import type { GateVerbs } from './ports/gates.ts'
import type { GitServer } from './ports/git.ts'
import type { HostService } from './ports/hosts.ts'
import type { Impressions } from './ports/impressions.ts'
import type { InterventionAnswers, InterventionVerbs } from './ports/interventions.ts'
import type { LogReaders } from './ports/logs.ts'
import type { McpServerVerbs } from './ports/mcp-servers.ts'
import type { MessageVerbs } from './ports/messages.ts'
import type { ModelWire } from './ports/model-wire.ts'
import type { ModelVerbs } from './ports/models.ts'
import type { NotificationVerbs } from './ports/notifications.ts'
import type { ObjectVerbs, ObjectViews } from './ports/objects.ts'
import type { ForgeReceiver, ProposalDesk, ProposalVerbs } from './ports/proposals.ts'
import type { RepositoryReads } from './ports/repository.ts'
import type { RunVerbs } from './ports/runs.ts'
import type { SecretReaders } from './ports/secrets.ts'
import type { SourceVerbs } from './ports/sources.ts'
import type { SpawnVerbs } from './ports/spawning.ts'
import type { TaskVerbs } from './ports/tasks.ts'
import type { ToolVerbs } from './ports/tools.ts'
import type { WebhookReceiver } from './ports/webhooks.ts'
import type { WorkSurroundings } from './ports/work.ts'

/**
 * What the API needs of the parts behind it. Reads of rows it does itself; everything that decides or writes goes through
 * here, so that the CLI, `/kube` and later surfaces act through the same services. Every service throws errors of the
 * catalogue. `build` fills it.
 */
export interface ApiServices {
  readonly runs: RunVerbs
  readonly gates: GateVerbs
  readonly agents: AgentProtocol
  readonly agentReaders: AgentReaders
  readonly spawning: SpawnVerbs
  readonly tasks: TaskVerbs
  readonly hosts: HostService
  readonly fleet: Fleet
  readonly objects: ObjectVerbs
  readonly drift: DriftVerbs
  readonly interventions: InterventionVerbs & InterventionAnswers
  readonly sources: SourceVerbs
  readonly git: GitServer
  readonly forge: ForgeReceiver
  readonly proposals: ProposalVerbs & ProposalDesk
  readonly drafts: DraftVerbs
  readonly approvals: ApprovalVerbs
  readonly repository: RepositoryReads
  readonly logs: LogReaders
  readonly artifacts: Artifacts
  readonly impressions: Impressions
  readonly views: ObjectViews
  readonly work: WorkSurroundings
  readonly webhooks: WebhookReceiver
  readonly eventTypes: DeclaredEventTypes
  readonly mcpServers: McpServerVerbs
  readonly messages: MessageVerbs
  readonly secrets: SecretReaders
  readonly models: ModelVerbs
  readonly modelWire: ModelWire
  readonly notifications: NotificationVerbs
  readonly tools: ToolVerbs
}
