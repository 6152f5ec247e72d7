import { describeStart } from './print/start-report.ts'
import { serve } from './serve.ts'
import type { Verb } from './verb.ts'

const SERVER_SETTINGS = [
  'data',
  'roles',
  'maxRuns',
  'lease',
  'drainTimeout',
  'server',
  'port',
  'ssePort',
  'socket',
  'host',
  'names',
  'origins',
  'auth.mode',
  'auth.issuer',
  'auth.audience',
  'auth.jwksUrl',
  'auth.rolesClaim',
  'auth.nameClaim',
  'auth.roleMap',
  'limits.perPrincipal',
  'limits.total',
  'repo',
  'ref',
  'path',
  'interval',
  'database.url',
  'database.directUrl',
  'database.ownerUrl',
  'database.namedStatements',
  'log.level',
  'log.format',
  'keepAgents',
  'statusInterval',
  'retention.events',
  'retention.artifacts',
  'retention.footprints',
  'artifacts.maxBytes',
  'artifacts.maxTotalBytes',
  'deletionLimit.percent',
  'deletionLimit.count',
]

export const verb: Verb = {
  description:
    'Starts Stateward: the database (embedded, unless DATABASE_URL names one), the controller and the API. Ends with Ctrl-C.\n\nExit code: 0 after a clean stop, 1 when it could not start, 70 when another process took its place.',
  examples: [
    ['stateward up', 'a state repo from the starter, everything under .stateward/'],
    ['stateward up --repo ../state --port 9000', 'an existing repo, opened in place'],
    ['stateward up --keep-agents', 'agents go on when it ends; the next start adopts them'],
    ['stateward up --roles worker', 'one more process that moves runs, on the database of DATABASE_URL'],
  ],
  settings: SERVER_SETTINGS,
  run: (call) => serve(call, null, describeStart),
}
