import type { Json } from '../../lib/json.ts'
import type { Caller } from '../caller.ts'

export interface GateVerbs {
  /**
   * SW_CONFLICT when the gate was decided before; SW_FORBIDDEN when this actor may not decide it; SW_GATE_INPUT when the
   * answer does not fit what the gate asks for.
   */
  decide(
    request: {
      readonly stepId: string
      readonly decision: 'approve' | 'reject'
      readonly reason: string | null
      readonly input: Json | undefined
    },
    caller: Caller,
  ): Promise<void>
}
