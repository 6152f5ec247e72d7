import type { Assignments, HostReport, Renewal } from '../../agents/joined/control-plane.ts'
import type { LedgerRequest } from '../../agents/ledger-wire.ts'
import type { HostFacts } from '../../hosts/host-facts.ts'
import type { HostTokenRow } from '../../store/queries/host-tokens.ts'
import type { HostRow } from '../../store/queries/hosts.ts'
import type { HostIdentity } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'

/** A host as people see it. */
export interface HostStanding {
  readonly facts: HostFacts
  /** null: declared, and no machine has joined under the name. */
  readonly row: HostRow | null
  readonly slotsUsed: number
  /** Bytes that agents placed there have claimed. */
  readonly memoryClaimed: number
  readonly instances: number
}

/** Hosts, for people and for the machines themselves. Services throw errors of the catalogue. */
export interface HostService {
  /** Whose credential it is; null for any other text. */
  authenticate(token: string): Promise<HostIdentity | null>
  createToken(
    wanted: {
      readonly host: string | null
      readonly labels: Readonly<Record<string, string>>
      readonly uses: number | null
      readonly expiresAt: Date
    },
    caller: Caller,
  ): Promise<HostTokenRow & { readonly token: string }>
  listTokens(): Promise<readonly HostTokenRow[]>
  revokeToken(token: string, caller: Caller): Promise<HostTokenRow>
  /** SW_UNAUTHENTICATED: the token is no good. SW_CONFLICT: the name is taken by a machine that reports. */
  join(
    request: {
      readonly token: string
      readonly name: string
      readonly labels: Readonly<Record<string, string>>
      readonly agentSlots: number
    },
    correlationId: string,
  ): Promise<{ readonly credential: string }>
  list(): Promise<readonly HostStanding[]>
  /** SW_NOT_FOUND. */
  get(name: string): Promise<HostStanding>
  cordon(name: string, caller: Caller): Promise<void>
  /** SW_CONFLICT while Git says that it is unschedulable. */
  uncordon(name: string, caller: Caller): Promise<void>
  drain(name: string, caller: Caller): Promise<void>
  /** SW_CONFLICT while it is connected. */
  remove(name: string, caller: Caller): Promise<void>

  /** SW_CONFLICT while another machine holds the lease. */
  begin(
    host: string,
    request: {
      readonly machine: string
      readonly bootId: string
      readonly dataDir: string
      readonly version: string
      readonly hardware: Readonly<Record<string, number | null>>
    },
  ): Promise<Renewal & { readonly session: string }>
  /** These throw SW_CONFLICT when the session is over. */
  heartbeat(host: string, session: string, report: HostReport): Promise<Renewal>
  leave(host: string, session: string): Promise<void>
  assignments(
    host: string,
    request: {
      readonly session: string
      readonly known: string | null
      readonly waitMs: number
      readonly signal: AbortSignal
    },
  ): Promise<Assignments>
  ledger(host: string, session: string, request: LedgerRequest): Promise<unknown>
  /** A gzipped tar. SW_NOT_FOUND. */
  tree(host: string, tree: string): Promise<Buffer>
  /** False when nobody reads any more. */
  logPiece(
    host: string,
    request: string,
    piece: { readonly session: string; readonly n: number; readonly text: string; readonly is_last: boolean },
  ): Promise<boolean>
}
