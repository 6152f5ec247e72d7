/**
 * What somebody may be allowed to do. Every route asks for exactly one of these; roles are lists of them (`roles.ts`).
 * `privileged` verbs change what the fleet does or who may: each decision about one is written to the log.
 */
export const VERBS = {
  read: { description: 'read objects, runs, events, logs and artifacts', privileged: false },
  'mcp.connect': { description: 'speak MCP; each tool asks for the verb of its own', privileged: false },
  'agent.work': {
    description: 'register, send heartbeats, take tasks and report them, as one instance',
    privileged: false,
  },
  'agents.register': {
    description: 'bind a process to an agent that registers itself, or propose such an agent',
    privileged: false,
  },
  'host.work': { description: 'supervise the agents of one joined host', privileged: false },
  'events.emit': { description: 'send events', privileged: false },
  'artifacts.write': { description: 'store artifacts', privileged: false },
  'messages.send': { description: 'send messages', privileged: false },
  'messages.read': { description: 'read and acknowledge messages', privileged: false },
  'work.write': {
    description: 'change the work graph: tickets, sprints, topics, sessions and their like',
    privileged: false,
  },
  'costs.write': { description: 'report costs', privileged: false },
  'runs.simulate': { description: 'simulate plans', privileged: false },
  'runs.start': { description: 'start runs of blueprints', privileged: true },
  'runs.cancel': { description: 'cancel runs', privileged: true },
  'runs.retry': { description: 'have runs that ended go on', privileged: true },
  'runs.rollback': { description: 'undo what runs did', privileged: true },
  'runs.rebuild': { description: 'build the rows of a run again from its events', privileged: true },
  'gates.decide': { description: 'approve and reject gates', privileged: true },
  'tasks.read': { description: 'read tasks', privileged: false },
  'tasks.create': { description: 'ask agents for something', privileged: false },
  'tasks.write': { description: 'cancel, retry and assign tasks', privileged: true },
  'agents.spawn': { description: 'spawn agents', privileged: true },
  'hosts.manage': { description: 'register, cordon and drain hosts', privileged: true },
  'objects.reconcile': { description: 'have objects and sources looked at now', privileged: false },
  'objects.intervene': { description: 'pause, resume, redirect, constrain and terminate at once', privileged: true },
  'alerts.write': { description: 'raise and resolve alerts', privileged: true },
  'models.ask': { description: 'ask models, and test providers: it may cost something', privileged: true },
  'models.speak': {
    description: 'ask models in the wire formats of OpenAI and Anthropic: it may cost something',
    privileged: false,
  },
  'breakers.trigger': { description: 'open and close breakers', privileged: true },
  'operations.run': { description: 'run operations', privileged: true },
  'actions.execute': { description: 'execute actions', privileged: true },
  'tools.call': { description: 'call tools', privileged: true },
  'proposals.read': { description: 'read proposals', privileged: false },
  'proposals.open': { description: 'propose files, and withdraw own proposals', privileged: true },
  'git.fetch': { description: 'fetch the state repo with git', privileged: false },
  'git.push': { description: 'push branches of proposals with git', privileged: true },
  'git.push.protected': { description: 'push every branch with git, the protected one too', privileged: true },
  'proposals.write': { description: 'propose changes of the state repo', privileged: true },
  'proposals.approve': { description: 'approve proposed changes', privileged: true },
  'kube.write': { description: 'propose changes through the Kubernetes API', privileged: true },
  'fleet.freeze': { description: 'halt the whole fleet', privileged: true },
  'fleet.unfreeze': { description: 'let a frozen fleet go on', privileged: true },
  'deletions.approve': { description: 'let held-back deletions through', privileged: true },
  'audit.verify': { description: 'verify the event log', privileged: false },
  'notifications.write': { description: 'test notification routes, try dead notifications again', privileged: true },
  'mcp.login': { description: 'sign in to MCP servers for the fleet', privileged: true },
  'secrets.read': { description: 'list the names of secrets and where they are', privileged: false },
  'keys.read': { description: 'list API keys', privileged: false },
  'keys.manage': { description: 'make and revoke API keys', privileged: true },
} as const satisfies Record<string, { readonly description: string; readonly privileged: boolean }>

export type Verb = keyof typeof VERBS

export function isVerb(text: string): text is Verb {
  return Object.hasOwn(VERBS, text)
}
