import type { Executor } from '../database.ts'

/** Reads pg_catalog in a fixed order (names compare bytewise), the current schema only, partitions left out. */

export interface TableRow {
  readonly name: string
  readonly partition_key: string | null
  readonly columns: readonly { name: string; type: string; not_null: boolean; default: string | null }[]
}

export async function schemaTables(sql: Executor): Promise<TableRow[]> {
  return sql<TableRow[]>`
    SELECT c.oid::regclass::text AS name, pg_get_partkeydef(c.oid) AS partition_key,
           json_agg(json_build_object(
             'name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
             'not_null', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.oid ORDER BY c.relname COLLATE "C"`
}

interface Definition {
  readonly table: string
  readonly name: string
  readonly definition: string
}

/** Newer servers keep NOT NULL as a constraint too; the column says it already. */
export async function schemaConstraints(sql: Executor): Promise<Definition[]> {
  return sql<Definition[]>`
    SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND contype IN ('p', 'u', 'f', 'c', 'x')
    ORDER BY position(contype::text IN 'pufcx'), conname COLLATE "C"`
}

export async function schemaIndexes(sql: Executor): Promise<Definition[]> {
  return sql<Definition[]>`
    SELECT i.indrelid::regclass::text AS table, quote_ident(x.relname) AS name,
           regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?' || quote_ident(current_schema()) || '\.', ' ON ') AS definition
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY x.relname COLLATE "C"`
}

export async function schemaTriggers(sql: Executor): Promise<Definition[]> {
  return sql<Definition[]>`
    SELECT t.tgrelid::regclass::text AS table, quote_ident(tgname) AS name, pg_get_triggerdef(t.oid, true) AS definition
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND NOT t.tgisinternal
    ORDER BY tgname COLLATE "C"`
}

export async function schemaViews(sql: Executor): Promise<{ name: string; definition: string }[]> {
  // In one line: how the text is broken into lines is the server's affair.
  return sql<{ name: string; definition: string }[]>`
    SELECT c.oid::regclass::text AS name, regexp_replace(pg_get_viewdef(c.oid), '\\s+', ' ', 'g') AS definition
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'v'
    ORDER BY c.relname COLLATE "C"`
}

export async function schemaFunctions(sql: Executor): Promise<{ signature: string; definition: string }[]> {
  return sql<{ signature: string; definition: string }[]>`
    SELECT p.oid::regprocedure::text AS signature,
           replace(pg_get_functiondef(p.oid), ' FUNCTION ' || quote_ident(current_schema()) || '.', ' FUNCTION ') AS definition
    FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
    ORDER BY p.oid::regprocedure::text COLLATE "C"`
}

/** What others than the owner may do; 0 stands for everybody. */
export async function schemaGrants(sql: Executor): Promise<{ object: string; grantee: string; privilege: string }[]> {
  return sql<{ object: string; grantee: string; privilege: string }[]>`
    WITH acls AS (
      SELECT c.oid::regclass::text AS object, c.relowner AS owner, c.relacl AS acl
      FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      UNION ALL
      SELECT p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
      FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
    )
    SELECT object, CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee,
           privilege_type AS privilege
    FROM acls, aclexplode(acl)
    WHERE grantee <> owner
    ORDER BY object COLLATE "C", 2, privilege_type COLLATE "C"`
}
