import type { XStatic } from 'typebox/schema'
import { authSection, limitsSection, tlsSection, uiSection } from './sections/api.ts'
import {
  approvalsSection,
  deletionLimitSection,
  forgeSection,
  proposalsSection,
  verifySection,
} from './sections/changes.ts'
import { clusterSection, podsSection } from './sections/cluster.ts'
import { logSection } from './sections/log.ts'
import { duration, optionalText } from './sections/parts.ts'
import { artifactsSection, databaseSection, retentionSection } from './sections/storage.ts'

const ROLES = ['controller', 'api', 'worker', 'ui'] as const

const HOST_NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'

/**
 * The process's own configuration: what a commit must not decide about itself. Everything else is declared in the state
 * repo. Defaults stand here, nowhere else; `settings.ts` says which flag and which variable sets which value.
 * Plain JSON Schema with the type inferred from it: every command reads this, so it must load at once.
 */
export const ConfigSchema = {
  type: 'object',
  properties: {
    data: {
      type: 'string',
      minLength: 1,
      default: '.stateward',
      description: 'Folder of everything this process keeps on disk.',
    },
    roles: {
      type: 'array',
      items: { type: 'string', enum: ROLES },
      minItems: 1,
      uniqueItems: true,
      default: ROLES,
      description:
        'What this process does: `controller` stands by to lead, `api` answers requests, `worker` moves runs, `ui` serves the page (and, without `api`, what it reads). Fewer than the first three need a database that processes share.',
    },
    maxRuns: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'Runs a worker moves at once; those that only wait do not count.',
    },
    lease: {
      ...duration,
      default: '30s',
      description: 'Other processes take over from one that does not answer for this long.',
    },
    hostLease: {
      ...duration,
      default: '60s',
      description:
        'A joined host that cannot renew its lease for this long has ended its agents; they start elsewhere.',
    },
    drainTimeout: {
      ...duration,
      default: '3s',
      description: 'How long calls of tools under way may take at the end; what waits is handed over at once.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8088,
      description: 'Port of the API; 0 takes a free one.',
    },
    ssePort: {
      anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'null' }],
      default: null,
      description: 'A second port for event streams; 0 turns it off. Unset: the one after `port`.',
    },
    tlsPort: {
      anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'null' }],
      default: null,
      description: 'A port of the API over TLS; 0 turns it off. Unset: two after `port`, where that is free.',
    },
    tls: tlsSection,
    ui: uiSection,
    socket: { ...optionalText, description: 'A Unix socket on which the API answers, too.' },
    host: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      default: ['127.0.0.1', '::1'],
      description: 'Addresses to listen on, of both families.',
    },
    names: {
      type: 'array',
      items: { type: 'string', pattern: HOST_NAME },
      default: [],
      description: 'Names this server is called by, beside those of the loopback.',
    },
    origins: {
      type: 'array',
      items: { type: 'string', pattern: '^https?://[^/]+$' },
      default: [],
      description: 'Other origins whose pages may call the API from a browser.',
    },
    auth: authSection,
    limits: limitsSection,
    repo: {
      ...optionalText,
      description: 'The state repo, a path or URL. Unset: `state-repo.git` in the data folder.',
    },
    ref: { type: 'string', minLength: 1, default: 'main', description: 'The branch whose head is desired state.' },
    path: { type: 'string', minLength: 1, default: '.', description: 'The folder of the state repo that is read.' },
    interval: { ...duration, default: '60s', description: 'How often a remote state repo is fetched.' },
    database: databaseSection,
    log: logSection,
    server: {
      ...optionalText,
      description: 'Where client commands find the API. Unset: what the running server wrote into the data folder.',
    },
    token: { ...optionalText, description: 'The credential of client commands. Unset: the one in the data folder.' },
    keepAgents: {
      type: 'boolean',
      default: false,
      description: 'Leave agents running at the end; the next process adopts them.',
    },
    agentDatabaseUrl: {
      ...optionalText,
      description:
        'Where bulk work finds the database, as STATEWARD_DATABASE_URL: told to agents with `dataAccess: bulk` and to tasks of 100 rows or more, on this machine alone, and only while its Host is labelled `database: "true"`.',
    },
    statusInterval: {
      ...duration,
      default: '5s',
      description: 'Status is committed to the status branch at most this often.',
    },
    retention: retentionSection,
    proposals: proposalsSection,
    forge: forgeSection,
    artifacts: artifactsSection,
    approvals: approvalsSection,
    verify: verifySection,
    cluster: clusterSection,
    pods: podsSection,
    deletionLimit: deletionLimitSection,
  },
  required: [
    'data',
    'roles',
    'maxRuns',
    'lease',
    'hostLease',
    'drainTimeout',
    'port',
    'ssePort',
    'tlsPort',
    'tls',
    'ui',
    'socket',
    'host',
    'names',
    'origins',
    'auth',
    'limits',
    'repo',
    'ref',
    'path',
    'interval',
    'database',
    'log',
    'server',
    'token',
    'keepAgents',
    'agentDatabaseUrl',
    'statusInterval',
    'retention',
    'proposals',
    'forge',
    'artifacts',
    'approvals',
    'verify',
    'cluster',
    'pods',
    'deletionLimit',
  ],
  additionalProperties: false,
} as const

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** A complete, frozen configuration. Durations are texts as in manifests (`parseDuration` gives milliseconds). */
export type Config = Frozen<XStatic<typeof ConfigSchema>> & {
  /** `STATEWARD_SECRET_*` as found in the environment, by variable name; see `secrets.ts`. */
  readonly secrets: Readonly<Record<string, string>>
}
