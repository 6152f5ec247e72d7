import { agentFiles, agentReferences, checkAgentFields } from '../agent/agent.kind.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { columns, wide } from '../status-parts.ts'
import { agentTemplateSpec, agentTemplateStatus } from './agent-template.schema.ts'

export const agentTemplate = defineKind({
  kind: 'AgentTemplate',
  plural: 'agenttemplates',
  singular: 'agenttemplate',
  shortNames: ['agt'],
  scope: 'Namespaced',
  description:
    'Fields that several agents share. An agent that names a template gets every field it leaves out; a change of the template reaches all of them.',
  spec: agentTemplateSpec,
  status: agentTemplateStatus,
  columns: columns([wide('Description', '.spec.description', 'What it is for.')]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  references: agentReferences,
  files: agentFiles,
  check: checkAgentFields,
  example: `apiVersion: stateward.dev/v1alpha1
kind: AgentTemplate
metadata:
  name: engineer
spec:
  description: What all engineering agents have in common.
  runtime:
    process:
      mode: perTask
      env:
        - {name: LOG_LEVEL, value: info}
  restartPolicy: OnFailure
  terminationGracePeriodSeconds: 60
`,
})
