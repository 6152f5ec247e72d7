import { StatewardError } from './errors.ts'

interface Entry {
  readonly code: string
  readonly status: number
  readonly remedy: string
}

/**
 * Every failure Stateward raises: the reference (key), the lower-case word of the API, the HTTP status and the remedy.
 * docs/errors.md lists exactly these; a test compares both ways. A retired reference is never used again.
 */
export const ERRORS = {
  SW_NODE_TOO_OLD: {
    code: 'node_too_old',
    status: 500,
    remedy: 'install Node 22.22 or newer, or run `npm ci` in the project folder, which brings one',
  },
  SW_CONFIG_INVALID: {
    code: 'invalid_config',
    status: 500,
    remedy: 'correct the value; `stateward config` shows where each value comes from',
  },
  SW_DATA_DIR_LOCKED: {
    code: 'data_dir_locked',
    status: 500,
    remedy: 'stop the process that holds it, or give this one another folder with --data',
  },
  SW_PORT_IN_USE: {
    code: 'port_in_use',
    status: 500,
    remedy: 'stop what listens there, or choose another port with --port',
  },
  SW_PG_MAJOR: {
    code: 'pg_major',
    status: 500,
    remedy: 'dump with the old version, restore into the new one: docs/operations.md, "Upgrading Postgres"',
  },
  SW_PG_START: {
    code: 'pg_start_failed',
    status: 500,
    remedy: 'read the server log named in the message; `stateward doctor` checks the usual causes',
  },
  SW_SCHEMA_TOO_NEW: {
    code: 'schema_too_new',
    status: 500,
    remedy: 'this database was migrated by a newer Stateward: run that version or a later one',
  },
  SW_MIGRATION_CHANGED: {
    code: 'migration_changed',
    status: 500,
    remedy: 'a released migration must never be edited: restore the file and add a new one',
  },
  SW_DATABASE_UNREACHABLE: {
    code: 'database_unreachable',
    status: 503,
    remedy: 'check DATABASE_URL and that the server accepts connections',
  },
  SW_LEASE_LOST: {
    code: 'lease_lost',
    status: 503,
    remedy: 'another process took over; this one stops and may be started again',
  },
  SW_NO_LEADER: {
    code: 'no_leader',
    status: 503,
    remedy: 'try again; `stateward get workers` shows the processes, one with the role controller has to run',
  },
  SW_GIT_BINARY_REQUIRED: { code: 'git_binary_required', status: 501, remedy: 'install git 2.38 or newer' },
  SW_GIT_FAILED: { code: 'git_failed', status: 502, remedy: 'the message holds what git said' },
  SW_SOURCE_UNREACHABLE: {
    code: 'source_unreachable',
    status: 502,
    remedy: 'check the URL, the network and the credentials; the last good revision stays in force',
  },
  SW_REV_MISSING: { code: 'revision_not_found', status: 404, remedy: 'fetch it first: git fetch origin <revision>' },
  SW_REF_MISSING: {
    code: 'ref_not_found',
    status: 404,
    remedy: 'push the branch, or name another one in the source; the last good revision stays in force',
  },
  SW_REPO_INVALID: {
    code: 'invalid_repo',
    status: 422,
    remedy: 'name a git repository, or create one with `stateward init`',
  },
  SW_SERVER_UNREACHABLE: {
    code: 'server_unreachable',
    status: 503,
    remedy: 'start it with `npm start`, or name it with --server',
  },
  SW_UNAUTHENTICATED: {
    code: 'unauthenticated',
    status: 401,
    remedy: 'send a token: STATEWARD_TOKEN, or run the command on the data directory (--data)',
  },
  SW_FROZEN: { code: 'frozen', status: 423, remedy: 'whoever may lets the fleet go on: stateward unfreeze' },
  SW_COMMIT_UNVERIFIED: {
    code: 'commit_unverified',
    status: 409,
    remedy: 'sign the commit with a key of a Principal (git commit -S, gpg.format=ssh), and push it again',
  },
  SW_FORBIDDEN: { code: 'forbidden', status: 403, remedy: 'use a credential that may do this' },
  SW_HOST_REFUSED: { code: 'host_refused', status: 403, remedy: 'use the address the server listens on' },
  SW_NOT_FOUND: { code: 'not_found', status: 404, remedy: 'check the name and the namespace' },
  SW_DRAFT_NOT_FOUND: { code: 'draft_not_found', status: 404, remedy: 'list them: GET /api/v1/drafts' },
  SW_INVALID_DEFINITION: { code: 'invalid_definition', status: 400, remedy: 'send what the message describes' },
  SW_INVALID_SCHEMA: {
    code: 'invalid_schema',
    status: 422,
    remedy: 'correct what details.violations lists, and save the draft again',
  },
  SW_AMBIGUOUS: { code: 'ambiguous', status: 409, remedy: 'give more of the name or the whole id' },
  SW_CONFLICT: { code: 'conflict', status: 409, remedy: 'read the current state and decide again' },
  SW_FORGE_UNREACHABLE: {
    code: 'forge_unreachable',
    status: 502,
    remedy: 'check forge.apiUrl and the network; it is tried again by itself',
  },
  SW_FORGE_REFUSED: {
    code: 'forge_refused',
    status: 502,
    remedy: 'check forge.repository, and what the token of secret forge/token may do',
  },
  SW_CHECKS_FAILED: {
    code: 'checks_failed',
    status: 409,
    remedy: 'correct what `stateward proposals show` lists, push it to the same branch, and merge again',
  },
  SW_VALIDATION_FAILED: {
    code: 'validation_failed',
    status: 400,
    remedy: 'correct the fields named in details.violations',
  },
  SW_EVENT_DATA: {
    code: 'invalid_event_data',
    status: 400,
    remedy: 'correct the fields named in details.violations, or the EventType named in details.event_type',
  },
  SW_INVALID_TEXT: { code: 'invalid_text', status: 400, remedy: 'remove the NUL character or the lone surrogate' },
  SW_BODY_TOO_LARGE: { code: 'body_too_large', status: 413, remedy: 'send less, or send the content as an artifact' },
  SW_ARTIFACT_TOO_LARGE: {
    code: 'artifact_too_large',
    status: 413,
    remedy: 'keep less, or raise artifacts.maxBytes in the configuration',
  },
  SW_ARTIFACTS_FULL: {
    code: 'artifacts_full',
    status: 507,
    remedy: 'shorten retention.artifacts, or raise artifacts.maxTotalBytes in the configuration',
  },
  SW_RATE_LIMITED: {
    code: 'rate_limited',
    status: 429,
    remedy:
      'wait as long as Retry-After says; the limits are limits.perPrincipal and limits.total in the configuration',
  },
  SW_QUOTA_EXCEEDED: {
    code: 'quota_exceeded',
    status: 429,
    remedy: 'wait as long as Retry-After says, or raise the rate named in the message',
  },
  SW_MAX_STEPS_EXCEEDED: {
    code: 'max_steps_exceeded',
    status: 422,
    remedy: 'raise limits.maxSteps, or split the plan into blueprints that call each other',
  },
  SW_BREAKER_OPEN: {
    code: 'breaker_open',
    status: 503,
    remedy:
      'find out why it was opened: stateward breakers; then reset it, or wait until it lets a call through to try',
  },
  SW_NO_CAPACITY: { code: 'no_capacity', status: 429, remedy: 'wait, or raise the limit named in the message' },
  SW_HOST_FULL: {
    code: 'no_capacity',
    status: 409,
    remedy: 'wait until something ends, or raise capacity.agentSlots of a host',
  },
  SW_STORAGE_ERROR: {
    code: 'storage_error',
    status: 500,
    remedy: 'the value could not be stored; the message says why',
  },
  SW_EXPRESSION_FAILED: {
    code: 'expression_failed',
    status: 422,
    remedy: 'guard the key with has() or use .?key.orValue(default)',
  },
  SW_STEP_TIMEOUT: {
    code: 'deadline_exceeded',
    status: 504,
    remedy: 'raise the timeout of the step, or make the work shorter',
  },
  SW_RUN_TIMEOUT: {
    code: 'run_timeout',
    status: 504,
    remedy: 'raise limits.timeout of the blueprint, or make the work shorter',
  },
  SW_MAX_ITERATIONS_EXCEEDED: {
    code: 'max_iterations_exceeded',
    status: 422,
    remedy: 'give the loop fewer items, or raise its maxIterations',
  },
  SW_TOOL_FAILED: { code: 'tool_failed', status: 502, remedy: 'the message holds what the tool said' },
  SW_TOOL_QUARANTINED: {
    code: 'tool_quarantined',
    status: 409,
    remedy:
      'look at what changed: `stateward tool lock <server>` proposes it, and a merge lets the tool be called again',
  },
  SW_MCP_UNREACHABLE: {
    code: 'mcp_unreachable',
    status: 502,
    remedy: 'look at the conditions of the McpServer: stateward describe mcpserver <name>',
  },
  SW_MCP_LOGIN_REQUIRED: {
    code: 'mcp_login_required',
    status: 409,
    remedy: 'let an administrator sign in for the fleet: stateward mcp login <server>',
  },
  SW_MCP_LOGIN_FAILED: {
    code: 'mcp_login_failed',
    status: 422,
    remedy: 'look at what the authorization server answered, then sign in again: stateward mcp login <server>',
  },
  SW_TOOL_UNKNOWN: { code: 'tool_unknown', status: 422, remedy: 'use a built-in tool or declare a Tool of that name' },
  SW_TOOL_FORBIDDEN: {
    code: 'tool_forbidden',
    status: 403,
    remedy: 'give the agent the capability the message names (spec.capabilities), or name the tool in its constraints',
  },
  SW_OUTBOUND_DENIED: {
    code: 'outbound_denied',
    status: 403,
    remedy: 'reach what the environment allows, or allow it by a commit: network of the Environment',
  },
  SW_SANDBOX_UNAVAILABLE: {
    code: 'sandbox_unavailable',
    status: 503,
    remedy: 'install bubblewrap where the worker runs, and let it make user namespaces; or trust the tool by a commit',
  },
  SW_TOOL_BUSY: { code: 'tool_busy', status: 429, remedy: 'call it later, or raise rateLimit of the Tool by a commit' },
  SW_PATH_ESCAPES: { code: 'path_escapes', status: 403, remedy: 'use a path inside the workspace' },
  SW_INVALID_OUTPUT: {
    code: 'invalid_output',
    status: 422,
    remedy: 'print JSON that fits the outputSchema of the step',
  },
  SW_OUTPUT_TOO_LARGE: {
    code: 'output_too_large',
    status: 413,
    remedy: 'print at most 1 MiB; write larger results to a file, and keep it with artifact.put',
  },
  SW_AGENT_FAILED: { code: 'agent_failed', status: 502, remedy: 'read the log of the task' },
  SW_SECRET_MISSING: {
    code: 'secret_missing',
    status: 422,
    remedy:
      'set STATEWARD_SECRET_<NAME>_<KEY>, write <data>/secrets/<name>/<key> with mode 0600, or declare a SecretStore that has it',
  },
  SW_SECRET_READ_ONLY: {
    code: 'secret_read_only',
    status: 409,
    remedy: 'write it where it is kept, or to the data folder under a name that no other place has',
  },
  SW_SECRET_IN_CHANGE: {
    code: 'plaintext_secret',
    status: 422,
    remedy: 'take the secret out of every commit of the change and name it with secretRef: docs/guide/secrets.md',
  },
  SW_CANCELLED: { code: 'cancelled', status: 409, remedy: 'start it again when it is wanted' },
  SW_BAD_REQUEST: {
    code: 'bad_request',
    status: 400,
    remedy: 'compare the request with the reference page of the route',
  },
  SW_INVALID_JSON: { code: 'invalid_json', status: 400, remedy: 'send one JSON document as UTF-8' },
  SW_UNSUPPORTED_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    status: 415,
    remedy: 'send Content-Type: application/json',
  },
  SW_METHOD_NOT_ALLOWED: { code: 'method_not_allowed', status: 405, remedy: 'use a method of the Allow header' },
  SW_EXPIRED: { code: 'expired', status: 410, remedy: 'list again and go on from the version it answers' },
  SW_GATE_REJECTED: {
    code: 'gate_rejected',
    status: 409,
    remedy: 'read the reason that was given; start a new run when it is resolved',
  },
  SW_INLINE_PLANS_DENIED: {
    code: 'inline_plans_denied',
    status: 403,
    remedy: 'start a run of a blueprint, or set inlinePlans: allow on the Environment',
  },
  SW_OVER_BUDGET: {
    code: 'budget_exceeded',
    status: 422,
    remedy: 'raise budget_cents, or leave out steps that cost',
  },
  SW_NO_MODEL: {
    code: 'no_model',
    status: 422,
    remedy: 'the message says why none fits: `stateward models route --explain` shows it step by step',
  },
  SW_MODELS_FAILED: {
    code: 'models_failed',
    status: 502,
    remedy: 'the message holds what each said; `stateward models list` shows which providers are healthy',
  },
  SW_BLACKBOARD_FULL: {
    code: 'blackboard_full',
    status: 413,
    remedy: 'set less, or keep it as a file of the workspace or an artifact',
  },
  SW_GATE_INPUT: {
    code: 'invalid_gate_input',
    status: 400,
    remedy: 'give an answer that fits the schema of the gate: stateward approve <run> <step> --input <file>',
  },
  SW_GATE_EXPIRED: {
    code: 'gate_expired',
    status: 409,
    remedy: 'start a new run and decide in time, or raise the timeout of the gate',
  },
  SW_EFFECT_UNKNOWN: {
    code: 'effect_unknown',
    status: 409,
    remedy: 'find out whether the effect took place, then start a new run if it is still needed',
  },
  SW_DENIED_BY_POLICY: {
    code: 'policy_denied',
    status: 403,
    remedy: 'the message names the policy, its version and the rule: `stateward policy decisions` shows what it read',
  },
  SW_NEEDS_APPROVAL: {
    code: 'approval_required',
    status: 403,
    remedy: 'it is done at once, so nobody can be asked first: let one of those the message names do it',
  },
  SW_CLUSTER_CONFIG: {
    code: 'invalid_kubeconfig',
    status: 500,
    remedy: 'set KUBECONFIG (--kubeconfig) and the context, or run as a pod of the cluster',
  },
  SW_CLUSTER_UNREACHABLE: {
    code: 'cluster_unreachable',
    status: 502,
    remedy: 'check that the API server answers (kubectl get --raw /readyz); it is tried again by itself',
  },
  SW_CLUSTER_FORBIDDEN: {
    code: 'cluster_forbidden',
    status: 502,
    remedy: 'check the credential and its RBAC rules: docs/guide/cluster.md lists what is needed',
  },
  SW_CLUSTER_REFUSED: {
    code: 'cluster_refused',
    status: 502,
    remedy:
      'the message holds what the API server said; are the CRDs of this version installed (kubectl apply -f crds/)?',
  },
  SW_USAGE: { code: 'usage', status: 400, remedy: 'add --help to the command for its arguments and examples' },
  SW_NOT_READY: { code: 'not_ready', status: 503, remedy: 'try again in a moment' },
  SW_INTERNAL: { code: 'internal', status: 500, remedy: 'report it with the correlation id; the log has the details' },
} as const satisfies Record<`SW_${string}`, Entry>

export type ErrorRef = keyof typeof ERRORS

/** Makes the error of a catalogue reference. */
export function fail(
  ref: ErrorRef,
  message: string,
  options: { details?: Record<string, unknown>; cause?: unknown; remedy?: string } = {},
): StatewardError {
  return new StatewardError({ ref, ...ERRORS[ref] }, message, options)
}
