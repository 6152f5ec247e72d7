import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../../lib/json.ts'
import type { Executor } from '../../../store/database.ts'
import { findObject, type ObjectRow } from '../../../store/queries/objects-read.ts'
import { lastOperationRuns, type OperationRun } from '../../../store/queries/operations.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, NamespaceQuery, Nullable, only, Reference, Time, Uuid } from '../schemas.ts'

export const ROLES = ['operator', 'admin'] as const

export const Service = Type.Object(
  {
    service_id: Uuid,
    namespace: Type.String(),
    name: Name,
    description: Type.String(),
    does: Type.Enum(['command', 'call', 'blueprint']),
    target: Type.String({ description: 'the program, the tool or the blueprint' }),
    inputs: Type.Array(JsonMap, { description: 'of a blueprint: those that one takes, not listed here' }),
    timeout: Nullable(Type.String()),
    role: Type.Enum([...ROLES], { description: 'who may run it: whoever may do all that this role may' }),
    suspended: Type.Boolean(),
    last_run: Nullable(
      Type.Object({
        run_id: Uuid,
        name: Type.String(),
        status: Type.String(),
        created_at: Time,
        completed_at: Nullable(Time),
      }),
    ),
  },
  { title: 'Service' },
)

export const ServiceParams = Type.Object({ service: Reference })
export const Scope = only(NamespaceQuery)

export async function serviceDtos(sql: Executor, rows: readonly ObjectRow[]): Promise<Static<typeof Service>[]> {
  const runs = new Map((await lastOperationRuns(sql, rows)).map((run) => [`${run.namespace}/${run.operation}`, run]))
  return rows.map((row) => serviceDto(row, runs.get(`${row.namespace}/${row.name}`)))
}

export function roleOf({ spec }: ObjectRow): (typeof ROLES)[number] {
  return spec['role'] === 'admin' ? 'admin' : 'operator'
}

function serviceDto(row: ObjectRow, run: OperationRun | undefined): Static<typeof Service> {
  const { spec } = row
  const text = (field: string) => (typeof spec[field] === 'string' ? spec[field] : null)
  return {
    service_id: row.uid,
    namespace: row.namespace,
    name: row.name,
    description: text('description') ?? '',
    ...targetOf(spec),
    inputs: Array.isArray(spec['inputs']) ? spec['inputs'].filter((each): each is JsonObject => isObject(each)) : [],
    timeout: text('timeout'),
    role: roleOf(row),
    suspended: row.status['overrides'] === undefined ? spec['suspend'] === true : isSuspended(row),
    last_run:
      run === undefined
        ? null
        : {
            run_id: run.run_id,
            name: run.name,
            status: run.status,
            created_at: run.created_at.toISOString(),
            completed_at: run.completed_at?.toISOString() ?? null,
          },
  }
}

/** As its conditions say: an override may have paused it. */
function isSuspended({ status, spec }: ObjectRow): boolean {
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : []
  const said = conditions.find((each) => isObject(each) && each['type'] === 'Suspended')
  return said === undefined ? spec['suspend'] === true : said.status === 'True'
}

function targetOf(spec: JsonObject): Pick<Static<typeof Service>, 'does' | 'target'> {
  const { command, call, blueprintRef } = spec
  if (isObject(call)) return { does: 'call', target: String(call['action']) }
  if (isObject(blueprintRef)) return { does: 'blueprint', target: String(blueprintRef['name']) }
  return { does: 'command', target: Array.isArray(command) ? String(command[0]) : '' }
}

export async function findService(sql: Executor, name: string, namespace: string | undefined): Promise<ObjectRow> {
  const row = await findObject(sql, { kind: 'Operation', namespace: namespace ?? 'default', name })
  if (row === null || row.deletion_timestamp !== null)
    throw fail('SW_NOT_FOUND', `there is no operation "${name}" in namespace ${namespace ?? 'default'}`, {
      remedy: 'list them: stateward operation list',
    })
  return row
}

export const sampleService: Static<typeof Service> = {
  service_id: SAMPLE.item,
  namespace: 'default',
  name: 'http-check',
  description: 'Asks an address and says what it answers.',
  does: 'call',
  target: 'http.call',
  inputs: [{ name: 'url', required: true }],
  timeout: '30s',
  role: 'operator',
  suspended: false,
  last_run: {
    run_id: SAMPLE.run,
    name: 'http-check-k3q9zt',
    status: 'completed',
    created_at: SAMPLE.time,
    completed_at: SAMPLE.later,
  },
}
