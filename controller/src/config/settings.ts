/** One value of the configuration and the ways to set it besides the file. */
export interface Setting {
  /** Keys in the file and in {@link Config}, joined with dots. */
  readonly path: string
  readonly variable: string
  /** Command line flag without the dashes. */
  readonly flag: string
  /** What stands for the value in `--help`; empty for a switch. */
  readonly placeholder: string
  /** Never printed. */
  readonly secret?: true
  /** A path: relative to the working folder in flags and variables, to the data folder in the file. */
  readonly isPath?: true
  /** Why the file cannot set it. */
  readonly notInFile?: string
}

export const SETTINGS: readonly Setting[] = [
  {
    path: 'data',
    variable: 'STATEWARD_DATA',
    flag: 'data',
    placeholder: 'dir',
    isPath: true,
    notInFile: 'the file lies in that folder: set STATEWARD_DATA or --data',
  },
  { path: 'roles', variable: 'STATEWARD_ROLES', flag: 'roles', placeholder: 'roles' },
  { path: 'maxRuns', variable: 'STATEWARD_MAX_RUNS', flag: 'max-runs', placeholder: 'n' },
  { path: 'lease', variable: 'STATEWARD_LEASE', flag: 'lease', placeholder: 'duration' },
  { path: 'hostLease', variable: 'STATEWARD_HOST_LEASE', flag: 'host-lease', placeholder: 'duration' },
  { path: 'drainTimeout', variable: 'STATEWARD_DRAIN_TIMEOUT', flag: 'drain-timeout', placeholder: 'duration' },
  { path: 'port', variable: 'STATEWARD_PORT', flag: 'port', placeholder: 'n' },
  { path: 'ssePort', variable: 'STATEWARD_SSE_PORT', flag: 'sse-port', placeholder: 'n' },
  { path: 'tlsPort', variable: 'STATEWARD_TLS_PORT', flag: 'tls-port', placeholder: 'n' },
  { path: 'tls.cert', variable: 'STATEWARD_TLS_CERT', flag: 'tls-cert', placeholder: 'file' },
  { path: 'tls.key', variable: 'STATEWARD_TLS_KEY', flag: 'tls-key', placeholder: 'file' },
  { path: 'tls.ca', variable: 'STATEWARD_TLS_CA', flag: 'tls-ca', placeholder: 'file' },
  { path: 'ui.home', variable: 'STATEWARD_UI_HOME', flag: 'ui-home', placeholder: 'path' },
  { path: 'socket', variable: 'STATEWARD_SOCKET', flag: 'socket', placeholder: 'path', isPath: true },
  { path: 'host', variable: 'STATEWARD_HOST', flag: 'host', placeholder: 'addresses' },
  { path: 'names', variable: 'STATEWARD_NAMES', flag: 'names', placeholder: 'names' },
  { path: 'origins', variable: 'STATEWARD_ORIGINS', flag: 'origins', placeholder: 'origins' },
  { path: 'auth.mode', variable: 'STATEWARD_AUTH_MODE', flag: 'auth', placeholder: 'mode' },
  { path: 'auth.issuer', variable: 'STATEWARD_AUTH_ISSUER', flag: 'auth-issuer', placeholder: 'url' },
  { path: 'auth.audience', variable: 'STATEWARD_AUTH_AUDIENCE', flag: 'auth-audience', placeholder: 'text' },
  { path: 'auth.jwksUrl', variable: 'STATEWARD_AUTH_JWKS_URL', flag: 'auth-jwks-url', placeholder: 'url' },
  { path: 'auth.clientId', variable: 'STATEWARD_AUTH_CLIENT_ID', flag: 'auth-client-id', placeholder: 'id' },
  {
    path: 'auth.clientSecret',
    variable: 'STATEWARD_AUTH_CLIENT_SECRET',
    flag: 'auth-client-secret',
    placeholder: 'text',
    secret: true,
  },
  { path: 'auth.rolesClaim', variable: 'STATEWARD_AUTH_ROLES_CLAIM', flag: 'auth-roles-claim', placeholder: 'claim' },
  { path: 'auth.nameClaim', variable: 'STATEWARD_AUTH_NAME_CLAIM', flag: 'auth-name-claim', placeholder: 'claim' },
  { path: 'auth.roleMap', variable: 'STATEWARD_AUTH_ROLE_MAP', flag: 'auth-role-map', placeholder: 'value=role' },
  {
    path: 'limits.perPrincipal',
    variable: 'STATEWARD_LIMITS_PER_PRINCIPAL',
    flag: 'limits-per-principal',
    placeholder: 'n',
  },
  { path: 'limits.total', variable: 'STATEWARD_LIMITS_TOTAL', flag: 'limits-total', placeholder: 'n' },
  { path: 'repo', variable: 'STATEWARD_REPO', flag: 'repo', placeholder: 'path or url', isPath: true },
  { path: 'ref', variable: 'STATEWARD_REF', flag: 'ref', placeholder: 'branch' },
  { path: 'path', variable: 'STATEWARD_PATH', flag: 'path', placeholder: 'folder' },
  { path: 'interval', variable: 'STATEWARD_INTERVAL', flag: 'interval', placeholder: 'duration' },
  { path: 'database.url', variable: 'DATABASE_URL', flag: 'database-url', placeholder: 'url', secret: true },
  {
    path: 'database.directUrl',
    variable: 'DATABASE_DIRECT_URL',
    flag: 'database-direct-url',
    placeholder: 'url',
    secret: true,
  },
  {
    path: 'database.ownerUrl',
    variable: 'DATABASE_OWNER_URL',
    flag: 'database-owner-url',
    placeholder: 'url',
    secret: true,
  },
  {
    path: 'database.namedStatements',
    variable: 'STATEWARD_NAMED_STATEMENTS',
    flag: 'named-statements',
    placeholder: 'true|false',
  },
  {
    path: 'database.requiredMajor',
    variable: 'STATEWARD_DATABASE_REQUIRED_MAJOR',
    flag: 'database-required-major',
    placeholder: 'n',
  },
  { path: 'log.level', variable: 'STATEWARD_LOG_LEVEL', flag: 'log-level', placeholder: 'level' },
  { path: 'log.format', variable: 'STATEWARD_LOG_FORMAT', flag: 'log-format', placeholder: 'format' },
  { path: 'server', variable: 'STATEWARD_SERVER', flag: 'server', placeholder: 'url' },
  { path: 'token', variable: 'STATEWARD_TOKEN', flag: 'token', placeholder: 'token', secret: true },
  { path: 'keepAgents', variable: 'STATEWARD_KEEP_AGENTS', flag: 'keep-agents', placeholder: '' },
  {
    path: 'agentDatabaseUrl',
    variable: 'STATEWARD_AGENT_DATABASE_URL',
    flag: 'agent-database-url',
    placeholder: 'url',
    secret: true,
  },
  { path: 'statusInterval', variable: 'STATEWARD_STATUS_INTERVAL', flag: 'status-interval', placeholder: 'duration' },
  {
    path: 'retention.events',
    variable: 'STATEWARD_RETENTION_EVENTS',
    flag: 'retention-events',
    placeholder: 'duration',
  },
  {
    path: 'retention.artifacts',
    variable: 'STATEWARD_RETENTION_ARTIFACTS',
    flag: 'retention-artifacts',
    placeholder: 'duration',
  },
  {
    path: 'retention.footprints',
    variable: 'STATEWARD_RETENTION_FOOTPRINTS',
    flag: 'retention-footprints',
    placeholder: 'duration',
  },
  {
    path: 'retention.messages',
    variable: 'STATEWARD_RETENTION_MESSAGES',
    flag: 'retention-messages',
    placeholder: 'duration',
  },
  {
    path: 'proposals.expireAfter',
    variable: 'STATEWARD_PROPOSALS_EXPIRE_AFTER',
    flag: 'proposals-expire-after',
    placeholder: 'duration',
  },
  { path: 'forge.type', variable: 'STATEWARD_FORGE', flag: 'forge', placeholder: 'type' },
  {
    path: 'forge.repository',
    variable: 'STATEWARD_FORGE_REPOSITORY',
    flag: 'forge-repository',
    placeholder: 'owner/name',
  },
  { path: 'forge.apiUrl', variable: 'STATEWARD_FORGE_API_URL', flag: 'forge-api-url', placeholder: 'url' },
  {
    path: 'artifacts.maxBytes',
    variable: 'STATEWARD_ARTIFACTS_MAX_BYTES',
    flag: 'artifacts-max-bytes',
    placeholder: 'n',
  },
  {
    path: 'artifacts.maxTotalBytes',
    variable: 'STATEWARD_ARTIFACTS_MAX_TOTAL_BYTES',
    flag: 'artifacts-max-total-bytes',
    placeholder: 'n',
  },
  {
    path: 'approvals.merges',
    variable: 'STATEWARD_APPROVALS_MERGES',
    flag: 'approvals-merges',
    placeholder: 'whose',
  },
  { path: 'verify.mode', variable: 'STATEWARD_VERIFY_MODE', flag: 'verify', placeholder: 'mode' },
  {
    path: 'verify.allowedSigners',
    variable: 'STATEWARD_VERIFY_ALLOWED_SIGNERS',
    flag: 'verify-allowed-signers',
    placeholder: 'path',
    isPath: true,
  },
  { path: 'cluster.kubeconfig', variable: 'KUBECONFIG', flag: 'kubeconfig', placeholder: 'file', isPath: true },
  { path: 'cluster.context', variable: 'STATEWARD_CLUSTER_CONTEXT', flag: 'cluster-context', placeholder: 'name' },
  { path: 'pods.namespace', variable: 'STATEWARD_PODS_NAMESPACE', flag: 'pods-namespace', placeholder: 'namespace' },
  { path: 'pods.url', variable: 'STATEWARD_PODS_URL', flag: 'pods-url', placeholder: 'url' },
  { path: 'pods.image', variable: 'STATEWARD_PODS_IMAGE', flag: 'pods-image', placeholder: 'image' },
  { path: 'cluster.source', variable: 'STATEWARD_CLUSTER_SOURCE', flag: 'cluster-source', placeholder: 'how' },
  {
    path: 'cluster.namespaces',
    variable: 'STATEWARD_CLUSTER_NAMESPACES',
    flag: 'cluster-namespaces',
    placeholder: 'names',
  },
  {
    path: 'cluster.deletionDeadline',
    variable: 'STATEWARD_CLUSTER_DELETION_DEADLINE',
    flag: 'cluster-deletion-deadline',
    placeholder: 'duration',
  },
  {
    path: 'deletionLimit.percent',
    variable: 'STATEWARD_DELETION_LIMIT_PERCENT',
    flag: 'deletion-limit-percent',
    placeholder: 'n',
  },
  {
    path: 'deletionLimit.count',
    variable: 'STATEWARD_DELETION_LIMIT_COUNT',
    flag: 'deletion-limit-count',
    placeholder: 'n',
  },
]

/** The name a flag has in parsed options: `database-url` → `databaseUrl`. */
export function optionName(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
