import type { Route } from '../../http/route.ts'
import { approveGate, rejectGate } from './decide-gate.ts'
import { readGate } from './read-gate.ts'

export const GATE_ROUTES: readonly Route[] = [readGate, approveGate, rejectGate]
