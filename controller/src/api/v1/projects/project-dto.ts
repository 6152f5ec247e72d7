import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject } from '../../../lib/json.ts'
import type { Executor } from '../../../store/database.ts'
import { findObject, type ObjectRow } from '../../../store/queries/objects-read.ts'
import { type ProjectWork, workOfProjects } from '../../../store/queries/work-items.ts'
import { LIFECYCLE_PHASES } from '../../../work/project-lifecycle.ts'
import { SAMPLE } from '../samples.ts'
import { Name, NamespaceQuery, Nullable, only, Reference, Time, Uuid } from '../schemas.ts'

export const LifecyclePhase = Type.Enum([...LIFECYCLE_PHASES])

export const Project = Type.Object(
  {
    project_id: Uuid,
    namespace: Type.String(),
    name: Name,
    description: Type.String(),
    lifecycle_phase: LifecyclePhase,
    owner: Nullable(Type.Object({ kind: Type.String(), name: Type.String() })),
    repos: Type.Array(Type.Object({ name: Type.String(), url: Type.String() })),
    work: Type.Object(
      { open: Type.Integer(), done: Type.Integer(), dropped: Type.Integer() },
      { description: 'its items in the work graph' },
    ),
    revision: Type.String({ description: 'the commit that last changed it' }),
    created_at: Time,
  },
  { title: 'Project' },
)

export const ProjectParams = Type.Object({ project: Reference })
export const Scope = only(NamespaceQuery)

/** Phase of a Project that says none. */
const DEFAULT_PHASE = 'active'

export function phaseOf(row: ObjectRow): (typeof LIFECYCLE_PHASES)[number] {
  const phase = row.spec['lifecyclePhase']
  return LIFECYCLE_PHASES.find((known) => known === phase) ?? DEFAULT_PHASE
}

export async function projectDtos(sql: Executor, rows: readonly ObjectRow[]): Promise<Static<typeof Project>[]> {
  const work = await workOfProjects(sql, rows)
  const of = new Map(work.map((each) => [`${each.namespace}/${each.project}`, each]))
  return rows.map((row) => projectDto(row, of.get(`${row.namespace}/${row.name}`)))
}

function projectDto(row: ObjectRow, work: ProjectWork | undefined): Static<typeof Project> {
  const { spec } = row
  const owner = spec['ownerRef']
  const repos: readonly unknown[] = Array.isArray(spec['repos']) ? spec['repos'] : []
  return {
    project_id: row.uid,
    namespace: row.namespace,
    name: row.name,
    description: typeof spec['description'] === 'string' ? spec['description'] : '',
    lifecycle_phase: phaseOf(row),
    owner: isObject(owner) ? { kind: String(owner['kind']), name: String(owner['name']) } : null,
    repos: repos.filter(isObject).map((repo) => ({ name: String(repo['name']), url: String(repo['url']) })),
    work: { open: work?.open ?? 0, done: work?.done ?? 0, dropped: work?.dropped ?? 0 },
    revision: row.last_applied_revision,
    created_at: row.created_at.toISOString(),
  }
}

export async function findProject(sql: Executor, name: string, namespace: string | undefined): Promise<ObjectRow> {
  const row = await findObject(sql, { kind: 'Project', namespace: namespace ?? 'default', name })
  if (row === null || row.deletion_timestamp !== null)
    throw fail('SW_NOT_FOUND', `there is no project "${name}" in namespace ${namespace ?? 'default'}`, {
      remedy: 'list them: stateward get projects',
    })
  return row
}

export const sampleProject: Static<typeof Project> = {
  project_id: SAMPLE.item,
  namespace: 'default',
  name: 'platform',
  description: 'What keeps the machines alive.',
  lifecycle_phase: 'active',
  owner: { kind: 'Team', name: 'platform' },
  repos: [],
  work: { open: 4, done: 11, dropped: 1 },
  revision: SAMPLE.revision,
  created_at: SAMPLE.time,
}
