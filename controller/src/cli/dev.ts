import { resolve } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { describeStart } from './print/start-report.ts'
import { serve } from './serve.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '[folder]',
  description:
    'Starts Stateward on a plain folder and applies it whenever a file is saved; nothing needs to be committed. Status is not written to Git.',
  examples: [
    ['stateward dev state-repo', 'try out the starter'],
    ['stateward dev --data /tmp/try .', 'the current folder, with a data folder of its own'],
  ],
  settings: [
    'data',
    'maxRuns',
    'hostLease',
    'drainTimeout',
    'port',
    'ssePort',
    'tlsPort',
    'ui.home',
    'socket',
    'host',
    'database.url',
    'log.level',
    'log.format',
    'keepAgents',
    'retention.events',
    'retention.artifacts',
    'retention.footprints',
    'artifacts.maxBytes',
    'artifacts.maxTotalBytes',
    'cluster.kubeconfig',
    'cluster.context',
    'cluster.source',
    'cluster.namespaces',
    'cluster.deletionDeadline',
    'deletionLimit.percent',
    'deletionLimit.count',
  ],
  async run(call) {
    const folder = resolve(call.terminal.cwd, call.args[0] ?? '.')
    const { config } = call.config()
    if (config.data === folder)
      throw fail('SW_CONFIG_INVALID', `${folder} cannot be the data folder and the state repo`, {
        remedy: 'name another data folder with --data',
      })
    return await serve(call, folder, describeStart)
  },
}
