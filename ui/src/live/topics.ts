/** What an event is about, by the second word of its name, and beginnings of the paths whose answers it changes. */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  access: ['/api/v1/keys'],
  agent: ['/api/v1/agents', '/api/v1/hosts', '/api/v1/dashboard'],
  alert: ['/api/v1/alerts', '/api/v1/dashboard'],
  artifact: ['/api/v1/artifacts'],
  breaker: ['/api/v1/breakers'],
  budget: ['/api/v1/budgets', '/api/v1/costs'],
  change: ['/api/v1/changes', '/api/v1/overview'],
  cost: ['/api/v1/costs', '/api/v1/budgets', '/api/v1/dashboard'],
  drift: ['/api/v1/drift', '/api/v1/overview'],
  fleet: ['/api/v1/fleet'],
  footprint: ['/api/v1/footprints'],
  host: ['/api/v1/hosts', '/api/v1/agents'],
  impression: ['/api/v1/impressions'],
  intervention: ['/api/v1/interventions', '/api/v1/agents', '/api/v1/runs'],
  key: ['/api/v1/keys'],
  message: ['/api/v1/messages'],
  model: ['/api/v1/models', '/api/v1/model-calls', '/api/v1/costs'],
  notification: ['/api/v1/notifications'],
  object: ['/kube/', '/api/v1/objects', '/api/v1/overview', '/api/v1/changes', '/api/v1/drift', '/api/v1/dashboard'],
  override: ['/api/v1/interventions', '/kube/'],
  policy: ['/api/v1/policies'],
  proposal: ['/api/v1/proposals', '/api/v1/drafts', '/api/v1/changes', '/api/v1/overview'],
  run: [
    '/api/v1/runs',
    '/api/v1/run-counts',
    '/api/v1/jobs',
    '/api/v1/gates',
    '/api/v1/dashboard',
    '/api/v1/recovery',
    '/api/v1/services',
  ],
  secret: ['/api/v1/secrets'],
  source: ['/api/v1/sources', '/api/v1/overview', '/api/v1/changes', '/kube/'],
  task: ['/api/v1/tasks', '/api/v1/jobs', '/api/v1/agents', '/api/v1/dashboard'],
  tool: ['/api/v1/tools', '/api/v1/tool-calls'],
  work: [
    '/api/v1/work-items',
    '/api/v1/projects',
    '/api/v1/escalations',
    '/api/v1/human-decisions',
    '/api/v1/dashboard',
  ],
}

/** Beginnings of the paths whose answers an event of this name changes. */
export function pathsChangedBy(eventName: string): readonly string[] {
  const [prefix, topic = ''] = eventName.split('.', 2)
  return prefix === 'stateward' && Object.hasOwn(TOPICS, topic) ? TOPICS[topic]! : []
}
