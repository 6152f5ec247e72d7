import type { JsonObject } from '../lib/json.ts'
import { parseUsd } from '../lib/usd.ts'

/** `maxUsd` as the plan keeps it; nothing when it is not said, so that the plan's digest says so. */
export function maxNanoUsdOf(fields: Readonly<JsonObject>): { maxNanoUsd?: string } {
  const { maxUsd } = fields
  const nano = typeof maxUsd === 'number' || typeof maxUsd === 'string' ? parseUsd(maxUsd) : null
  return nano === null ? {} : { maxNanoUsd: String(nano) }
}
