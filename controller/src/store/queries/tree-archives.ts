import type { Executor } from '../database.ts'

export async function hasTreeArchive(sql: Executor, tree: string): Promise<boolean> {
  return (await sql`SELECT 1 FROM tree_archives WHERE tree = ${tree}`).length > 0
}

/** A gzipped tar of the directory; null when nobody has put it there. */
export async function treeArchive(sql: Executor, tree: string): Promise<Buffer | null> {
  const [row] = await sql<{ archive: Buffer }[]>`SELECT archive FROM tree_archives WHERE tree = ${tree}`
  return row?.archive ?? null
}

export async function insertTreeArchive(tx: Executor, tree: string, archive: Buffer, at: Date): Promise<void> {
  await tx`
    INSERT INTO tree_archives (tree, archive, used_at) VALUES (${tree}, ${archive}, ${at}) ON CONFLICT (tree) DO NOTHING`
}

/** Those that no agent is placed with, and that are older than `before`. */
export async function deleteUnusedArchives(tx: Executor, before: Date): Promise<number> {
  const result = await tx`
    DELETE FROM tree_archives t WHERE used_at < ${before}
      AND NOT EXISTS (SELECT FROM placed_agents a WHERE a.target ->> 'filesTree' = t.tree)`
  return result.count
}
