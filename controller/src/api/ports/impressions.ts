import type { Json, JsonObject } from '../../lib/json.ts'
import type { Impression } from '../../store/queries/impressions.ts'
import type { Caller } from '../caller.ts'

export interface Impressions {
  record(
    said: {
      readonly envId: string
      readonly runId: string | null
      readonly stepId: string | null
      readonly label: string
      readonly value: Json
      readonly basis: JsonObject
    },
    caller: Caller,
  ): Promise<Impression>
}
