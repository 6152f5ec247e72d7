import type { Executor } from '../database.ts'

export interface RateTarget {
  readonly namespace: string
  readonly tool: string
  readonly calls: number
  readonly windowMs: number
}

/** Takes one call of the window that is open at this time, or opens one. Null = taken; else when the next window begins. */
export async function takeToolCall(
  sql: Executor,
  { namespace, tool, calls, windowMs }: RateTarget,
  at: Date,
): Promise<Date | null> {
  const over = new Date(at.getTime() - windowMs)
  const taken = await sql`
    INSERT INTO tool_rates AS r (namespace, tool, window_start, calls) VALUES (${namespace}, ${tool}, ${at}, 1)
    ON CONFLICT (namespace, tool) DO UPDATE
      SET window_start = CASE WHEN r.window_start <= ${over} THEN ${at} ELSE r.window_start END,
          calls = CASE WHEN r.window_start <= ${over} THEN 1 ELSE r.calls + 1 END
      WHERE r.window_start <= ${over} OR r.calls < ${calls}
    RETURNING 1`
  if (taken.length > 0) return null
  const [row] = await sql<{ window_start: Date }[]>`
    SELECT window_start FROM tool_rates WHERE namespace = ${namespace} AND tool = ${tool}`
  return new Date((row?.window_start ?? at).getTime() + windowMs)
}
