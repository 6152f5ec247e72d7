import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

export interface NewWorkItem {
  readonly item_id: string
  readonly type: string
  readonly namespace: string
  readonly name: string
  readonly project: string | null
  readonly parent_id: string | null
  readonly title: string
  readonly description: string
  readonly state: string
  readonly phase: string
  /** The task that an agent does for it now. */
  readonly task_id: string | null
  readonly assignee: string | null
  readonly required_capabilities: readonly string[]
  readonly priority: number
  readonly fields: JsonObject
  readonly created_by: string
  readonly correlation_id: string
  readonly created_at: Date
}

export interface WorkItemRow extends NewWorkItem {
  readonly version: number
  readonly updated_at: Date
  readonly closed_at: Date | null
}

/** An item as readers see it. */
export interface WorkItemView extends WorkItemRow {
  readonly parent: string | null
  /** Items that are part of it. */
  readonly parts_total: number
  readonly parts_done: number
  /** Items it depends on that are not done. */
  readonly waits_for: readonly string[]
  /** Number of the newest event about it; 0 when none is held any more. */
  readonly seq: number
}

const columns = (sql: Executor) => sql`
  w.item_id, w.type, w.namespace, w.name, w.project, w.parent_id, w.title, w.description, w.state, w.phase, w.assignee,
  w.required_capabilities, w.task_id, w.priority, w.fields, w.version, w.created_by, w.correlation_id, w.created_at, w.updated_at, w.closed_at`

const view = (sql: Executor) => sql`
  ${columns(sql)},
  (SELECT p.name FROM work_items p WHERE p.item_id = w.parent_id) AS parent,
  (SELECT count(*) FROM work_items c WHERE c.parent_id = w.item_id AND c.phase <> 'dropped')::integer AS parts_total,
  (SELECT count(*) FROM work_items c WHERE c.parent_id = w.item_id AND c.phase = 'done')::integer AS parts_done,
  ARRAY(${unfinishedDependencies(sql)} ORDER BY d.name) AS waits_for,
  coalesce((
    SELECT e.seq FROM events e WHERE e.resource_type = 'WorkItem' AND e.resource_id = w.item_id::text ORDER BY e.seq DESC LIMIT 1
  ), 0) AS seq`

const unfinishedDependencies = (sql: Executor) => sql`
  SELECT d.name FROM work_edges x JOIN work_items d ON d.item_id = x.to_id
  WHERE x.from_id = w.item_id AND x.relation = 'depends_on' AND d.phase <> 'done'`

export interface WorkItemPage {
  readonly namespace: string | null
  readonly type: string | null
  readonly state: string | null
  readonly phase: string | null
  readonly project: string | null
  readonly parentId: string | null
  readonly assignee: string | null
  readonly capability: string | null
  /** Open, and nothing it depends on is left to be done. */
  readonly isReady: boolean
  readonly after: { readonly createdAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageWorkItems(sql: Executor, page: WorkItemPage): Promise<readonly WorkItemView[]> {
  return sql<WorkItemView[]>`
    SELECT ${view(sql)} FROM work_items w WHERE true
      ${page.namespace === null ? sql`` : sql`AND w.namespace = ${page.namespace}`}
      ${page.type === null ? sql`` : sql`AND w.type = ${page.type}`}
      ${page.state === null ? sql`` : sql`AND w.state = ${page.state}`}
      ${page.phase === null ? sql`` : sql`AND w.phase = ${page.phase}`}
      ${page.project === null ? sql`` : sql`AND w.project = ${page.project}`}
      ${page.parentId === null ? sql`` : sql`AND w.parent_id = ${page.parentId}`}
      ${page.assignee === null ? sql`` : sql`AND w.assignee = ${page.assignee}`}
      ${page.capability === null ? sql`` : sql`AND ${page.capability} = ANY (w.required_capabilities)`}
      ${page.isReady ? sql`AND w.phase = 'open' AND NOT EXISTS (${unfinishedDependencies(sql)})` : sql``}
      ${page.after === null ? sql`` : sql`AND (w.created_at, w.item_id) < (${page.after.createdAt}, ${page.after.id}::uuid)`}
    ORDER BY w.created_at DESC, w.item_id DESC LIMIT ${page.limit}`
}

/** By namespace and name, as the façade lists. */
export async function pageWorkItemsByName(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly name: string | null
    readonly after: { readonly namespace: string; readonly name: string } | null
    readonly limit: number
  },
): Promise<readonly WorkItemView[]> {
  return sql<WorkItemView[]>`
    SELECT ${view(sql)} FROM work_items w WHERE true
      ${page.namespace === null ? sql`` : sql`AND w.namespace = ${page.namespace}`}
      ${page.name === null ? sql`` : sql`AND w.name = ${page.name}`}
      ${page.after === null ? sql`` : sql`AND (w.namespace, w.name) > (${page.after.namespace}, ${page.after.name})`}
    ORDER BY w.namespace, w.name LIMIT ${page.limit}`
}

export async function workItemsById(sql: Executor, ids: readonly string[]): Promise<readonly WorkItemView[]> {
  return sql<WorkItemView[]>`SELECT ${view(sql)} FROM work_items w WHERE w.item_id = ANY (${[...ids]}::uuid[])`
}

/** Items a reference could mean, at most `limit`: by name, else by the beginning of name or id. `exact` tells which. */
export async function workItemsByReference(
  sql: Executor,
  ref: { readonly text: string; readonly namespace: string | null; readonly limit: number },
): Promise<readonly (WorkItemView & { readonly exact: boolean })[]> {
  const prefix = `${ref.text.replaceAll(/[\\%_]/g, '\\$&')}%`
  return sql<(WorkItemView & { exact: boolean })[]>`
    SELECT ${view(sql)}, w.name = ${ref.text} AS exact FROM work_items w
    WHERE (w.name LIKE ${prefix} OR w.item_id::text LIKE ${prefix})
      ${ref.namespace === null ? sql`` : sql`AND w.namespace = ${ref.namespace}`}
    ORDER BY w.name = ${ref.text} DESC, w.created_at DESC LIMIT ${ref.limit}`
}

export async function insertWorkItem(tx: Tx, row: NewWorkItem): Promise<void> {
  const { required_capabilities: capabilities, ...rest } = row
  await tx`
    INSERT INTO work_items ${tx({
      ...rest,
      fields: tx.json(row.fields),
      required_capabilities: [...capabilities],
      updated_at: row.created_at,
      closed_at: row.phase === 'open' ? null : row.created_at,
    })}`
}

/** Locks the row to the end of the transaction. */
export async function lockWorkItem(tx: Tx, itemId: string): Promise<WorkItemRow | null> {
  const [row] = await tx<WorkItemRow[]>`
    SELECT ${columns(tx)} FROM work_items w WHERE item_id = ${itemId} FOR UPDATE`
  return row ?? null
}

export type WorkItemChange = Partial<
  Pick<
    WorkItemRow,
    | 'project'
    | 'parent_id'
    | 'title'
    | 'description'
    | 'state'
    | 'phase'
    | 'task_id'
    | 'assignee'
    | 'priority'
    | 'fields'
  > & { readonly required_capabilities: readonly string[] }
>

/** Changes a locked row and counts its version up. */
export async function updateWorkItem(tx: Tx, row: WorkItemRow, change: WorkItemChange, at: Date): Promise<void> {
  const next = { ...row, ...change }
  const closedAt = next.phase === 'open' ? null : (row.closed_at ?? at)
  await tx`
    UPDATE work_items SET
      project = ${next.project}, parent_id = ${next.parent_id}, title = ${next.title}, description = ${next.description},
      state = ${next.state}, phase = ${next.phase}, task_id = ${next.task_id}, assignee = ${next.assignee}, priority = ${next.priority},
      fields = ${tx.json(next.fields)}, required_capabilities = ${[...next.required_capabilities]},
      version = version + 1, updated_at = ${at}, closed_at = ${closedAt}
    WHERE item_id = ${row.item_id}`
}

/** Open items by assignee, of those that are named. */
export async function openItemsOf(sql: Executor, assignees: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ assignee: string; count: number }[]>`
    SELECT assignee, count(*)::integer AS count FROM work_items
    WHERE assignee = ANY (${[...assignees]}) AND phase = 'open' GROUP BY assignee`
  return new Map(rows.map(({ assignee, count }) => [assignee, count]))
}

export interface ProjectWork {
  readonly namespace: string
  readonly project: string
  readonly open: number
  readonly done: number
  readonly dropped: number
}

/** What there is to do for each of the named projects. */
export async function workOfProjects(
  sql: Executor,
  projects: readonly { readonly namespace: string; readonly name: string }[],
): Promise<readonly ProjectWork[]> {
  return sql<ProjectWork[]>`
    SELECT namespace, project, count(*) FILTER (WHERE phase = 'open')::integer AS open,
           count(*) FILTER (WHERE phase = 'done')::integer AS done, count(*) FILTER (WHERE phase = 'dropped')::integer AS dropped
    FROM work_items
    WHERE (namespace, project) IN (
      SELECT * FROM unnest(${projects.map(({ namespace }) => namespace)}::text[], ${projects.map(({ name }) => name)}::text[]))
    GROUP BY namespace, project`
}

/** A task that ended, and the item it was made for. */
export interface EndedTask {
  readonly item_id: string
  readonly task_id: string
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly output: Json
  readonly error: JsonObject | null
  readonly correlation_id: string
}

/** From the items, of which few have a task, to the tasks: the other way round every task there ever was is looked at. */
export async function itemsWhoseTaskEnded(sql: Executor, limit: number): Promise<readonly EndedTask[]> {
  return sql<EndedTask[]>`
    SELECT w.item_id, t.task_id, t.status, t.output, t.error, t.correlation_id
    FROM work_items w CROSS JOIN LATERAL (
      SELECT task_id, status, output, error, correlation_id FROM tasks WHERE task_id = w.task_id OFFSET 0
    ) t
    WHERE w.task_id IS NOT NULL AND t.status IN ('completed', 'failed', 'cancelled') LIMIT ${limit}`
}
