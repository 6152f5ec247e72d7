import type { XStatic } from 'typebox/schema'
import { DURATION_PATTERN } from '../lib/duration.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const ROLES = ['controller', 'api', 'worker', 'ui'] as const
const LOG_FORMATS = ['auto', 'json', 'pretty'] as const

const AUTH_MODES = ['none', 'token', 'oidc'] as const
const CLUSTER_SOURCES = ['none', 'add', 'only'] as const
const HOST_NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'

const optionalText = { anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }], default: null } as const
const duration = { type: 'string', pattern: DURATION_PATTERN } as const

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
    tls: {
      type: 'object',
      additionalProperties: false,
      properties: {
        cert: {
          ...optionalText,
          description: 'A certificate of your own, in PEM. Unset: one is made, with an authority for it.',
        },
        key: { ...optionalText, description: 'Its key, in PEM.' },
        ca: { ...optionalText, description: 'What clients trust it by, in PEM. Unset: what their system trusts.' },
      },
      required: ['cert', 'key', 'ca'],
    },
    ui: {
      type: 'object',
      properties: {
        home: {
          type: 'string',
          pattern: '^/ui/[\\x21-\\x7e]*$',
          default: '/ui/',
          description: 'Where `/` leads: a path of the page, e.g. `/ui/events`.',
        },
      },
      required: ['home'],
      additionalProperties: false,
    },
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
    auth: {
      type: 'object',
      properties: {
        mode: {
          type: 'string',
          enum: AUTH_MODES,
          default: 'none',
          description:
            '`none`: anybody on this machine may read; `token`: a credential for everything; `oidc`: also those of an issuer.',
        },
        issuer: { ...optionalText, description: 'The OIDC issuer whose tokens are credentials.' },
        audience: { ...optionalText, description: 'Whom its tokens are for: us.' },
        jwksUrl: { ...optionalText, description: 'Where its keys are. Unset: where its discovery document says.' },
        clientId: {
          ...optionalText,
          description: 'How the issuer knows this installation: with it, it signs people in to the page.',
        },
        clientSecret: { ...optionalText, description: 'What goes with clientId; a public client has none.' },
        rolesClaim: {
          type: 'string',
          minLength: 1,
          default: 'roles',
          description: 'The claim that holds roles or groups; dots for a claim in another.',
        },
        nameClaim: { type: 'string', minLength: 1, default: 'sub', description: 'The claim that names the person.' },
        roleMap: {
          type: 'array',
          items: { type: 'string', pattern: '^.+=.+$' },
          default: [],
          description: 'value=role for each value of that claim that counts. Empty: the values are names of roles.',
        },
      },
      required: [
        'mode',
        'issuer',
        'audience',
        'jwksUrl',
        'clientId',
        'clientSecret',
        'rolesClaim',
        'nameClaim',
        'roleMap',
      ],
      additionalProperties: false,
    },
    limits: {
      type: 'object',
      properties: {
        perPrincipal: {
          type: 'integer',
          minimum: 0,
          default: 100,
          description: 'Requests a second of one agent, key or person; 0 = no limit.',
        },
        total: {
          type: 'integer',
          minimum: 0,
          default: 1000,
          description: 'Requests a second of all together; 0 = no limit.',
        },
      },
      required: ['perPrincipal', 'total'],
      additionalProperties: false,
    },
    repo: {
      ...optionalText,
      description: 'The state repo, a path or URL. Unset: `state-repo.git` in the data folder.',
    },
    ref: { type: 'string', minLength: 1, default: 'main', description: 'The branch whose head is desired state.' },
    path: { type: 'string', minLength: 1, default: '.', description: 'The folder of the state repo that is read.' },
    interval: { ...duration, default: '60s', description: 'How often a remote state repo is fetched.' },
    database: {
      type: 'object',
      properties: {
        url: {
          ...optionalText,
          description: 'Postgres 15 or newer, also behind a transaction pooler. Unset: the embedded one.',
        },
        directUrl: { ...optionalText, description: 'The same database without a pooler. Unset: database.url.' },
        ownerUrl: {
          ...optionalText,
          description: 'A login that owns the schema, for migrations. Unset: database.directUrl.',
        },
        namedStatements: {
          type: 'boolean',
          default: true,
          description: 'Named prepared statements; off behind a pooler that loses them.',
        },
        requiredMajor: {
          anyOf: [{ type: 'integer', minimum: 15 }, { type: 'null' }],
          default: null,
          description: 'The Postgres major you expect; `stateward doctor` warns about another one.',
        },
      },
      required: ['url', 'directUrl', 'ownerUrl', 'namedStatements', 'requiredMajor'],
      additionalProperties: false,
    },
    log: {
      type: 'object',
      properties: {
        level: { type: 'string', enum: LOG_LEVELS, default: 'info', description: 'The least severe lines to write.' },
        format: {
          type: 'string',
          enum: LOG_FORMATS,
          default: 'auto',
          description: '`auto` is pretty on a terminal and JSON elsewhere.',
        },
      },
      required: ['level', 'format'],
      additionalProperties: false,
    },
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
    retention: {
      type: 'object',
      properties: {
        events: {
          ...duration,
          default: '7d',
          description: 'How long events are kept at least; what no consumer has read yet is kept longer.',
        },
        footprints: {
          ...duration,
          default: '90d',
          description: 'How long stored footprints are kept; whole months are dropped.',
        },
        artifacts: {
          ...duration,
          default: '30d',
          description: 'How long artifacts are kept, logs of runs among them.',
        },
        messages: {
          ...duration,
          default: '30d',
          description: 'How long messages are kept; what nobody has acknowledged yet is kept longer.',
        },
      },
      required: ['events', 'artifacts', 'footprints', 'messages'],
      additionalProperties: false,
    },
    proposals: {
      type: 'object',
      properties: {
        expireAfter: {
          ...duration,
          default: '30d',
          description: 'How long a proposal stays open without a new commit.',
        },
      },
      required: ['expireAfter'],
      additionalProperties: false,
    },
    forge: {
      type: 'object',
      properties: {
        type: {
          type: 'string',
          enum: ['none', 'github'],
          default: 'none',
          description: 'Where proposals are pull requests, too.',
        },
        repository: {
          ...optionalText,
          description: 'The state repo at the forge, as owner/name. Unset: as `repo` says.',
        },
        apiUrl: {
          type: 'string',
          pattern: '^https?://',
          default: 'https://api.github.com',
          description: 'Where the API of the forge is.',
        },
      },
      required: ['type', 'repository', 'apiUrl'],
      additionalProperties: false,
    },
    artifacts: {
      type: 'object',
      properties: {
        maxBytes: { type: 'integer', minimum: 1, default: 250_000_000, description: 'Size of one artifact, in bytes.' },
        maxTotalBytes: {
          type: 'integer',
          minimum: 1,
          default: 20_000_000_000,
          description: 'Size of all artifacts that are kept, in bytes; the same content counts once.',
        },
      },
      required: ['maxBytes', 'maxTotalBytes'],
      additionalProperties: false,
    },
    approvals: {
      type: 'object',
      properties: {
        merges: {
          type: 'string',
          enum: ['none', 'signed', 'any'],
          default: 'signed',
          description:
            "Whose merge or commit of the work of somebody else approves it: `signed`, of whoever signed it with a key of a Principal; `any`, of its committer as it says, for a repo that only people who may approve can push to; `none`, nobody's.",
        },
      },
      required: ['merges'],
      additionalProperties: false,
    },
    verify: {
      type: 'object',
      properties: {
        mode: {
          type: 'string',
          enum: ['none', 'head'],
          default: 'none',
          description:
            '`head`: a commit is applied only when its head has an SSH signature of a Principal of the last applied revision.',
        },
        allowedSigners: {
          ...optionalText,
          description:
            'A file as ssh-keygen reads it: signers besides those that are declared, and of the first commit.',
        },
      },
      required: ['mode', 'allowedSigners'],
      additionalProperties: false,
    },
    cluster: {
      type: 'object',
      properties: {
        kubeconfig: {
          ...optionalText,
          description:
            'How a Kubernetes cluster is reached; several files are joined with `:`. Unset: as a pod of the cluster, else ~/.kube/config.',
        },
        context: { ...optionalText, description: 'The context of the kubeconfig. Unset: its current one.' },
        source: {
          type: 'string',
          enum: CLUSTER_SOURCES,
          default: 'none',
          description:
            'Whether the custom resources of the cluster say what is wanted: `add`, beside the state repo; `only`, instead of one.',
        },
        namespaces: {
          type: 'array',
          items: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
          uniqueItems: true,
          default: [],
          description: 'Namespaces whose custom resources are read. Empty: all.',
        },
        deletionDeadline: {
          ...duration,
          default: '5m',
          description:
            'A custom resource that is deleted goes after this long, whether what it stands for has ended or not.',
        },
      },
      required: ['kubeconfig', 'context', 'source', 'namespaces', 'deletionDeadline'],
      additionalProperties: false,
    },
    pods: {
      type: 'object',
      properties: {
        namespace: {
          ...optionalText,
          description: 'The namespace of the cluster in which agents run as pods. Unset: none do.',
        },
        url: { ...optionalText, description: 'Where pods find the API of the process that leads.' },
      },
      required: ['namespace', 'url'],
      additionalProperties: false,
    },
    deletionLimit: {
      type: 'object',
      properties: {
        percent: {
          type: 'integer',
          minimum: 0,
          maximum: 100,
          default: 20,
          description: 'Share of a kind a commit may delete unasked.',
        },
        count: {
          type: 'integer',
          minimum: 0,
          default: 5,
          description: 'Number of a kind that a commit may delete unasked in any case.',
        },
      },
      required: ['percent', 'count'],
      additionalProperties: false,
    },
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
