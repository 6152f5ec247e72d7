import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import type { Executor } from '../../../store/database.ts'
import { findObject, type ObjectRow, objectsByUid } from '../../../store/queries/objects-read.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, NamespaceQuery, only, Reference, Time, Uuid } from '../schemas.ts'

export const Template = Type.Object(
  {
    template_id: Uuid,
    namespace: Type.String(),
    name: Name,
    description: Type.String(),
    capabilities: Type.Array(Type.String()),
    spec: Type.Unsafe<object>({ ...JsonMap, description: 'as it is declared' }),
    revision: Type.String({ description: 'the commit that last changed it' }),
    created_at: Time,
  },
  { title: 'Template' },
)

export const TemplateParams = Type.Object({ template: Reference })
export const Scope = only(NamespaceQuery)

export function templateDto(row: ObjectRow): Static<typeof Template> {
  const { description, capabilities } = row.spec
  return {
    template_id: row.uid,
    namespace: row.namespace,
    name: row.name,
    description: typeof description === 'string' ? description : '',
    capabilities: Array.isArray(capabilities) ? capabilities.map(String) : [],
    spec: row.spec,
    revision: row.last_applied_revision,
    created_at: row.created_at.toISOString(),
  }
}

/** By name, or by the id it got when it was first applied. */
export async function findTemplate(sql: Executor, text: string, namespace: string | undefined): Promise<ObjectRow> {
  const [byId] = isUuid(text) ? await objectsByUid(sql, [text]) : []
  const row =
    byId?.kind === 'AgentTemplate'
      ? byId
      : await findObject(sql, { kind: 'AgentTemplate', namespace: namespace ?? 'default', name: text })
  if (row === null || row.deletion_timestamp !== null)
    throw fail('SW_NOT_FOUND', `there is no template "${text}" in namespace ${namespace ?? 'default'}`, {
      remedy: 'list them: stateward get agenttemplates',
    })
  return row
}

const spec = {
  description: 'Puts work into an order in which it can be done.',
  runtime: { process: { command: ['node', 'main.mjs', 'orchestrator'], mode: 'perTask', workdir: 'agents/roles' } },
  capabilities: ['planning'],
}

export const sampleTemplate: Static<typeof Template> = {
  template_id: SAMPLE.item,
  namespace: 'default',
  name: 'orchestrator',
  description: spec.description,
  capabilities: spec.capabilities,
  spec,
  revision: SAMPLE.revision,
  created_at: SAMPLE.time,
}
