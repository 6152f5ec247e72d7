import type { Route } from '../../http/route.ts'
import { approveGate, rejectGate } from './decide-gate.ts'
import { listGates } from './list-gates.ts'
import { readGate } from './read-gate.ts'

export const GATE_ROUTES: readonly Route[] = [listGates, readGate, approveGate, rejectGate]
