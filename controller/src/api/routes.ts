import type { Route } from './http/route.ts'
import { ACCESS_ROUTES } from './v1/access/routes.ts'
import { AGENT_ROUTES } from './v1/agents/routes.ts'
import { ALERT_ROUTES } from './v1/alerts/routes.ts'
import { ARTIFACT_ROUTES } from './v1/artifacts/routes.ts'
import { BREAKER_ROUTES } from './v1/breakers/routes.ts'
import { BUDGET_ROUTES } from './v1/budgets/routes.ts'
import { CHANGE_ROUTES } from './v1/changes/routes.ts'
import { COST_ROUTES } from './v1/costs/routes.ts'
import { DASHBOARD_ROUTES } from './v1/dashboard/routes.ts'
import { DRAFT_ROUTES } from './v1/drafts/routes.ts'
import { DRIFT_ROUTES } from './v1/drift/routes.ts'
import { EVENT_ROUTES } from './v1/events/routes.ts'
import { FLEET_ROUTES } from './v1/fleet/routes.ts'
import { GATE_ROUTES } from './v1/gates/routes.ts'
import { HOST_ROUTES } from './v1/hosts/routes.ts'
import { INTERVENTION_ROUTES } from './v1/interventions/routes.ts'
import { JOB_ROUTES } from './v1/jobs/routes.ts'
import { MCP_SERVER_ROUTES } from './v1/mcp/routes.ts'
import { MESSAGE_ROUTES } from './v1/messages/routes.ts'
import { MODEL_ROUTES } from './v1/models/routes.ts'
import { NOTIFICATION_ROUTES } from './v1/notifications/routes.ts'
import { OBJECT_ROUTES } from './v1/objects/routes.ts'
import { OVERVIEW_ROUTES } from './v1/overview/routes.ts'
import { POLICY_ROUTES } from './v1/policies/routes.ts'
import { PROJECT_ROUTES } from './v1/projects/routes.ts'
import { PROPOSAL_ROUTES } from './v1/proposals/routes.ts'
import { RECORD_ROUTES } from './v1/records/routes.ts'
import { RECOVERY_ROUTES } from './v1/recovery/routes.ts'
import { RUN_ROUTES } from './v1/runs/routes.ts'
import { RUNTIME_ROUTES } from './v1/runtime/routes.ts'
import { SECRET_ROUTES } from './v1/secrets/routes.ts'
import { openApiRoute } from './v1/server/openapi.ts'
import { SERVER_ROUTES } from './v1/server/routes.ts'
import { SERVICE_ROUTES } from './v1/services/routes.ts'
import { SOURCE_ROUTES } from './v1/sources/routes.ts'
import { TASK_ROUTES } from './v1/tasks/routes.ts'
import { TEMPLATE_ROUTES } from './v1/templates/routes.ts'
import { TOOL_ROUTES } from './v1/tools/routes.ts'
import { WORK_ROUTES } from './v1/work/routes.ts'

const OWN: readonly Route[] = [
  ...RUN_ROUTES,
  ...GATE_ROUTES,
  ...EVENT_ROUTES,
  ...AGENT_ROUTES,
  ...HOST_ROUTES,
  ...FLEET_ROUTES,
  ...MESSAGE_ROUTES,
  ...INTERVENTION_ROUTES,
  ...DRIFT_ROUTES,
  ...TASK_ROUTES,
  ...ALERT_ROUTES,
  ...SECRET_ROUTES,
  ...NOTIFICATION_ROUTES,
  ...MODEL_ROUTES,
  ...BREAKER_ROUTES,
  ...COST_ROUTES,
  ...BUDGET_ROUTES,
  ...ARTIFACT_ROUTES,
  ...OBJECT_ROUTES,
  ...SOURCE_ROUTES,
  ...PROPOSAL_ROUTES,
  ...CHANGE_ROUTES,
  ...DRAFT_ROUTES,
  ...RECORD_ROUTES,
  ...ACCESS_ROUTES,
  ...RECOVERY_ROUTES,
  ...RUNTIME_ROUTES,
  ...JOB_ROUTES,
  ...DASHBOARD_ROUTES,
  ...OVERVIEW_ROUTES,
  ...MCP_SERVER_ROUTES,
  ...SERVICE_ROUTES,
  ...TOOL_ROUTES,
  ...TEMPLATE_ROUTES,
  ...PROJECT_ROUTES,
  ...WORK_ROUTES,
  ...POLICY_ROUTES,
  ...SERVER_ROUTES,
]

/** Every route but those of `/kube` (which describe themselves as Kubernetes does), in the order of the reference page. */
export const ROUTES: readonly Route[] = [...OWN, openApiRoute(OWN)]
