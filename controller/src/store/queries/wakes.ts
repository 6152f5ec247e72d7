import type { Executor } from '../database.ts'

/** The channel on which processes tell each other where to look. */
export const WAKE_CHANNEL = 'stateward_wakes'

/** Sends texts to every process that listens, each once. */
export async function notifyWakes(sql: Executor, texts: readonly string[]): Promise<void> {
  await sql`SELECT pg_notify(${WAKE_CHANNEL}, text) FROM unnest(${[...texts]}::text[]) AS text`
}
