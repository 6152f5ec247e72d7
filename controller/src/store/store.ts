import type { Clock } from '../lib/clock.ts'
import { connect, type DatabaseUrls, type Sql } from './database.ts'
import { mapConnectionLoss } from './database-errors.ts'
import { Intake } from './intake.ts'
import { PartitionKeeper } from './partitions.ts'
import type { Log } from './ports.ts'
import { LEASE_MS, registerWriter, type Writer } from './writer.ts'

/** The database as one process sees it. Everything that writes goes through `transact`, which proves its lease first. */
export interface Store {
  /** For reads that may take their time: normal plans, maybe through a pooler. */
  readonly reader: Sql
  /** For the log, claims and every write: planner switches set, direct sessions. */
  readonly engine: Sql
  /** One session for the batches of the journal alone: they never queue behind transactions that wait for the log. */
  readonly batches: Sql
  readonly writer: Writer
  readonly partitions: PartitionKeeper
  /** Where what many callers send at once is written together. */
  readonly intake: Intake
  readonly clock: Clock
  readonly log: Log
  /** Gives up the lease (its runs and leaderships become free at once) and closes the connections. */
  end(): Promise<void>
}

export interface StoreOptions {
  readonly clock: Clock
  /** What this process does (`api`, `controller`, `worker`): shown in `writers`. */
  readonly roles: readonly string[]
  readonly host: string
  /** This process holds `<data>/lock` of an embedded database: every other writer is dead. */
  readonly dataDirLocked: boolean
  /** Called once when another process took the lease: nothing can be written any more, the process has to end. */
  readonly onLeaseLost: () => void
  readonly log: Log
  /** How long the lease lasts without renewal, in milliseconds. Default 30,000. */
  readonly leaseMs?: number
  /** How many runs it moves at once, for those who look; default 0. */
  readonly maxRuns?: number
  /** The program's, for those who look. */
  readonly version?: string
}

/**
 * Connects, registers this process as a writer and removes writers that are provably dead. The schema must be there
 * (`migrate`, or `waitForSchema` in a process that does not migrate). Throws SW_DATABASE_UNREACHABLE.
 */
export async function openStore(urls: DatabaseUrls, options: StoreOptions): Promise<Store> {
  const application = `stateward ${options.roles.join(',')}`
  // A pooler refuses startup parameters it does not know; readers write nothing, so they can do without the role.
  const reader = connect(urls.url, {
    max: 4,
    applicationName: application,
    namedStatements: urls.namedStatements,
    ...(urls.namedStatements ? { role: 'stateward_app' } : {}),
  })
  const { leaseMs = LEASE_MS } = options
  const session = {
    role: 'stateward_app',
    engine: true,
    namedStatements: true,
    idleInTransactionMs: (leaseMs * 2) / 3,
  } as const
  const engine = connect(urls.directUrl, { ...session, max: 4, applicationName: `${application} engine` })
  const batches = connect(urls.directUrl, { ...session, max: 1, applicationName: `${application} engine` })
  try {
    const writer = await registerWriter(engine, options)
    const partitions = new PartitionKeeper(engine, options.log)
    await partitions.ensure()
    const { clock, log } = options
    const intake = new Intake({ engine, writer, partitions, clock, log })
    return {
      reader,
      engine,
      batches,
      writer,
      partitions,
      intake,
      clock,
      log,
      end: async () => {
        await intake.settled()
        await writer.end()
        await partitions.settled()
        await closeAll(reader, engine, batches)
      },
    }
  } catch (error) {
    await closeAll(reader, engine, batches)
    throw mapConnectionLoss(error)
  }
}

async function closeAll(...pools: Sql[]): Promise<void> {
  await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })))
}
