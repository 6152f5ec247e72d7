import { hostname } from 'node:os'
import { guardAgents } from '../agents/joined/guard.ts'
import { readIdentity } from '../agents/joined/host-identity.ts'
import { joinHost as runHost } from '../build/joined-host.ts'
import { fail } from '../lib/error-catalogue.ts'
import { identityOf } from '../lib/process-identity.ts'
import { createLogger } from '../telemetry/logger.ts'
import { readCount, readLabels } from './host-token.ts'
import { textOption } from './operands.ts'
import type { ExitCode, VerbCall } from './verb.ts'

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/** Runs a host until it is interrupted. */
export async function joinHost(call: VerbCall): Promise<ExitCode> {
  const { options, terminal } = call
  const { config } = call.config()
  // A token of the configuration is that of a client; a machine joins with one that was given to it.
  const token = config.token?.startsWith('swj_') === true ? config.token : null
  if (token === null && config.token !== null && readIdentity(config.data) === null)
    throw fail('SW_USAGE', 'that is no join token: it begins with swj_', {
      remedy: 'make one with `stateward host token create`',
    })
  const name = textOption(options, 'name') ?? hostname().toLowerCase()
  if (name.length > 63 || !NAME.test(name)) throw fail('SW_USAGE', `--name ${name}: it is no name for a host`)
  const log = createLogger({ level: config.log.level, format: config.log.format })
  const wanted = await runHost(
    {
      data: config.data,
      server: config.server?.replace(/\/+$/, '') ?? null,
      token,
      name,
      labels: readLabels(options['label']),
      agentSlots: readCount(options, 'slots') ?? 10,
      keepAgents: config.keepAgents,
      databaseUrl: config.agentDatabaseUrl,
      environment: terminal.env,
      log,
      guardCommand: guardCommand(config.data),
      connected: ({ host, server }, session) =>
        void terminal.out(`host ${host} is connected to ${server} (session ${session})\n`),
    },
    terminal.untilInterrupted(),
  )
  if (wanted) return 0
  await terminal.err(
    'error: the server does not know this host any more; its agents were ended\n  remedy: join again with a new --token\n',
  )
  return 1
}

/** Only the Node and the program of this process are sure to be there. */
function guardCommand(data: string): readonly string[] {
  const supervisor = identityOf(process.pid)!
  return [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    process.argv[1]!,
    'host',
    'guard',
    data,
    `${supervisor.pid}:${supervisor.start}`,
  ]
}

export async function guardHost(data: string, supervisor: string): Promise<ExitCode> {
  const match = /^([0-9]+):(.+)$/.exec(supervisor)
  if (match === null) throw fail('SW_USAGE', 'the guard is started by `stateward host join`')
  await guardAgents(data, { pid: Number(match[1]), start: match[2]! })
  return 0
}
