import type { Verb } from './verb.ts'

export interface VerbEntry {
  readonly name: string
  readonly group: string
  readonly summary: string
  readonly load: () => Promise<{ readonly verb: Verb }>
}

const LOOK = 'Look:'
const ACT = 'Act:'
const RUN = 'Run a server:'
const AUTHOR = 'Author:'
const MORE = 'More:'

/** Every verb, in the order of `--help`. `load` is called for the one that was typed, so that each starts quickly. */
export const VERBS: readonly VerbEntry[] = [
  { name: 'get', group: LOOK, summary: 'list objects of one or more kinds', load: () => import('./get.ts') },
  {
    name: 'describe',
    group: LOOK,
    summary: 'show one object in detail, with its problems and events',
    load: () => import('./describe.ts'),
  },
  { name: 'runs', group: LOOK, summary: 'list runs, the newest first', load: () => import('./runs.ts') },
  { name: 'events', group: LOOK, summary: 'show the event log, or follow it', load: () => import('./events.ts') },
  { name: 'logs', group: LOOK, summary: 'show what a run or an agent wrote', load: () => import('./logs.ts') },
  {
    name: 'replay',
    group: LOOK,
    summary: 'print the history of a run as it was recorded',
    load: () => import('./replay.ts'),
  },
  {
    name: 'messages',
    group: LOOK,
    summary: 'list, search, show and acknowledge messages',
    load: () => import('./messages.ts'),
  },
  {
    name: 'artifacts',
    group: LOOK,
    summary: 'list, fetch or store artifacts',
    load: () => import('./artifacts.ts'),
  },
  {
    name: 'audit',
    group: LOOK,
    summary: 'verify that nobody altered the event log',
    load: () => import('./audit.ts'),
  },
  {
    name: 'interventions',
    group: LOOK,
    summary: 'list what was done to agents at once',
    load: () => import('./interventions.ts'),
  },
  {
    name: 'alerts',
    group: LOOK,
    summary: 'list, raise, acknowledge and resolve alerts',
    load: () => import('./alerts.ts'),
  },
  {
    name: 'cost',
    group: LOOK,
    summary: 'sum up what was spent, foresee it, and say which commits made it',
    load: () => import('./cost.ts'),
  },
  {
    name: 'budget',
    group: LOOK,
    summary: 'list budgets, what waits for one, and propose a higher one',
    load: () => import('./budget.ts'),
  },
  {
    name: 'policy',
    group: LOOK,
    summary: 'list policies and what they decided, test them, backtest them',
    load: () => import('./policy.ts'),
  },
  {
    name: 'drift',
    group: LOOK,
    summary: 'list what is live and not in Git; put it back, or propose it',
    load: () => import('./drift.ts'),
  },
  { name: 'why', group: LOOK, summary: 'tell what is behind the state of an object', load: () => import('./why.ts') },
  {
    name: 'emit',
    group: ACT,
    summary: 'send an event; blueprints that listen to it start',
    load: () => import('./emit.ts'),
  },
  {
    name: 'send',
    group: ACT,
    summary: 'send a message to an agent, a role or a topic',
    load: () => import('./send.ts'),
  },
  {
    name: 'run',
    group: ACT,
    summary: 'start a run of a blueprint, or of a plan of its own',
    load: () => import('./run.ts'),
  },
  {
    name: 'approve',
    group: ACT,
    summary: 'approve a gate of a run, or held-back deletions',
    load: () => import('./approve.ts'),
  },
  { name: 'reject', group: ACT, summary: 'reject a gate of a run', load: () => import('./reject.ts') },
  {
    name: 'proposals',
    group: ACT,
    summary: 'list, show, approve, merge and reject proposed changes',
    load: () => import('./proposals.ts'),
  },
  {
    name: 'drafts',
    group: ACT,
    summary: 'save, validate and promote drafts of blueprints and packs',
    load: () => import('./drafts.ts'),
  },
  {
    name: 'recovery',
    group: ACT,
    summary: 'what was recovered, dead letters, and trying one again',
    load: () => import('./recovery.ts'),
  },
  {
    name: 'operation',
    group: ACT,
    summary: 'list the declared operations, and run one',
    load: () => import('./operation.ts'),
  },
  {
    name: 'work',
    group: ACT,
    summary: 'the work graph: tickets, tasks, sprints … list, make, move, assign, link',
    load: () => import('./work.ts'),
  },
  { name: 'cancel', group: ACT, summary: 'cancel a run', load: () => import('./cancel.ts') },
  { name: 'retry', group: ACT, summary: 'have a run that ended go on from a step', load: () => import('./retry.ts') },
  { name: 'rollback', group: ACT, summary: 'undo what a run did', load: () => import('./rollback.ts') },
  { name: 'task', group: ACT, summary: 'ask an agent for something', load: () => import('./task.ts') },
  { name: 'spawn', group: ACT, summary: 'spawn an agent while the fleet runs', load: () => import('./spawn.ts') },
  { name: 'reconcile', group: ACT, summary: 'read the state repo now', load: () => import('./reconcile.ts') },
  { name: 'freeze', group: ACT, summary: 'halt the whole fleet', load: () => import('./freeze.ts') },
  { name: 'unfreeze', group: ACT, summary: 'let the fleet go on', load: () => import('./unfreeze.ts') },
  { name: 'suspend', group: ACT, summary: 'pause an object at once', load: () => import('./suspend.ts') },
  { name: 'resume', group: ACT, summary: 'end the pause of an object', load: () => import('./resume.ts') },
  { name: 'pause', group: ACT, summary: 'pause an agent at once', load: () => import('./pause.ts') },
  {
    name: 'terminate',
    group: ACT,
    summary: 'end the processes of an agent and keep them ended',
    load: () => import('./terminate.ts'),
  },
  {
    name: 'redirect',
    group: ACT,
    summary: 'give the waiting tasks of an agent to another one',
    load: () => import('./redirect.ts'),
  },
  {
    name: 'constrain',
    group: ACT,
    summary: 'limit the tasks and tools of an agent at once',
    load: () => import('./constrain.ts'),
  },
  {
    name: 'tool',
    group: ACT,
    summary: 'list and describe tools, call one, decide about calls that wait',
    load: () => import('./tool.ts'),
  },
  {
    name: 'breakers',
    group: ACT,
    summary: 'break off a tool or an agent, and reset it',
    load: () => import('./breakers.ts'),
  },
  {
    name: 'models',
    group: ACT,
    summary: 'providers of models: list, test, ask, and who would be asked',
    load: () => import('./models.ts'),
  },
  {
    name: 'notifications',
    group: ACT,
    summary: 'who was told of what; test a route, try a dead one again',
    load: () => import('./notifications.ts'),
  },
  {
    name: 'secrets',
    group: ACT,
    summary: 'which secrets are named, where they are, which are missing',
    load: () => import('./secrets.ts'),
  },
  {
    name: 'host',
    group: ACT,
    summary: 'join machines as hosts; cordon and drain them',
    load: () => import('./host.ts'),
  },
  { name: 'init', group: AUTHOR, summary: 'write a new state repo from the starter', load: () => import('./init.ts') },
  {
    name: 'env',
    group: AUTHOR,
    summary: 'write a template of the variables read from .env',
    load: () => import('./env.ts'),
  },
  {
    name: 'validate',
    group: AUTHOR,
    summary: 'check a state repo without a server',
    load: () => import('./validate.ts'),
  },
  {
    name: 'plan',
    group: AUTHOR,
    summary: 'show what a commit would change, without a server',
    load: () => import('./plan.ts'),
  },
  { name: 'up', group: RUN, summary: 'start Stateward', load: () => import('./up.ts') },
  {
    name: 'dev',
    group: RUN,
    summary: 'start Stateward on a folder and apply it as you save',
    load: () => import('./dev.ts'),
  },
  {
    name: 'down',
    group: RUN,
    summary: 'stop what a server left running on a data folder',
    load: () => import('./down.ts'),
  },
  {
    name: 'doctor',
    group: RUN,
    summary: 'check what a server needs on this machine',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'ui',
    group: LOOK,
    summary: 'print a link that signs a browser in to the page',
    load: () => import('./ui.ts'),
  },
  {
    name: 'kubeconfig',
    group: MORE,
    summary: 'write a context for kubectl',
    load: () => import('./kubeconfig.ts'),
  },
  {
    name: 'mcp',
    group: MORE,
    summary: 'speak MCP for editors and coding agents; sign in to tool servers behind OAuth',
    load: () => import('./mcp.ts'),
  },
  {
    name: 'keys',
    group: MORE,
    summary: 'make, list and revoke API keys',
    load: () => import('./keys.ts'),
  },
  {
    name: 'config',
    group: MORE,
    summary: 'show the configuration and where each value comes from',
    load: () => import('./config.ts'),
  },
  {
    name: 'completion',
    group: MORE,
    summary: 'print the completion script of a shell',
    load: () => import('./completion.ts'),
  },
  {
    name: 'version',
    group: MORE,
    summary: 'show the versions of this program and of the server',
    load: () => import('./version.ts'),
  },
]
