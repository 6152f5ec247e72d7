import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import type { Reference } from '../references.ts'
import { column, columns, wide } from '../status-parts.ts'
import { projectSpec, projectStatus } from './project.schema.ts'

/** Only an Agent is an object; teams and users are not declared. */
function ownerReference(spec: Readonly<Record<string, unknown>>): Reference[] {
  const owner = spec['ownerRef']
  if (!isObject(owner) || owner['kind'] !== 'Agent' || typeof owner['name'] !== 'string') return []
  return [{ kind: 'Agent', name: owner['name'], pointer: '/spec/ownerRef/name', strength: 'optional' }]
}

export const project = defineKind({
  kind: 'Project',
  plural: 'projects',
  singular: 'project',
  shortNames: ['proj'],
  scope: 'Namespaced',
  description: 'Work that agents have in common, and the folder they share on a host.',
  spec: projectSpec,
  status: projectStatus,
  columns: columns([
    column('Phase', '.spec.lifecyclePhase', 'How far it is.'),
    wide('Owner', '.spec.ownerRef.name', 'Who answers for it.'),
    wide('Shared', '.spec.sharedFolder', 'Whether its agents share a folder.', 'boolean'),
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  references: ownerReference,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Project
metadata:
  name: website
spec:
  description: The public web site.
  lifecyclePhase: active
  ownerRef: {kind: Team, name: platform}
  repos:
    - {name: web, url: "https://git.example.com/platform/web.git"}
  sharedFolder: true
`,
})
