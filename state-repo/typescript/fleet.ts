import type { Chart } from 'cdk8s'
import { Agent, AgentTemplate, Blueprint, manifests, Project } from 'stateward-constructs'

/** The same fleet in every region: somebody who watches, and what happens when a machine runs full. */

const REGIONS = ['eu', 'us', 'ap'] as const
const PROJECT = { name: 'regions' }

function region(chart: Chart, name: (typeof REGIONS)[number]): void {
  new Agent(chart, `watcher-${name}`, {
    metadata: { name: `watcher-${name}`, labels: { region: name } },
    spec: {
      displayName: `Watcher ${name.toUpperCase()}`,
      templateRef: { name: 'watcher' },
      runtime: { pod: { nodeSelector: { 'topology.kubernetes.io/region': name } } },
      // Where most of the machines are.
      replicas: name === 'eu' ? 2 : 1,
    },
  })
  new Blueprint(chart, `disk-${name}`, {
    metadata: { name: `disk-${name}` },
    spec: {
      description: `Looks at a full disk in ${name}.`,
      triggers: [{ event: 'alert.raised', filter: `event.data.host.startsWith('${name}-')` }],
      inputs: [{ name: 'host', schema: { type: 'string' }, required: true, from: 'event.data.host' }],
      plan: [
        {
          id: 'look',
          kind: 'agent_task',
          agent: `watcher-${name}`,
          prompt: 'Find out what fills the disk of {{ inputs.host }}.',
        },
      ],
    },
  })
}

process.stdout.write(
  manifests((chart) => {
    new Project(chart, 'project', { metadata: PROJECT, spec: { description: 'What runs in every region.' } })
    new AgentTemplate(chart, 'watcher', {
      metadata: { name: 'watcher' },
      spec: {
        description: 'Watches the machines of a region.',
        projectRef: PROJECT,
        capabilities: ['linux'],
        runtime: {
          pod: { image: 'registry.example.org/agents/watcher:1.0', resources: { limits: { memory: '512Mi' } } },
        },
      },
    })
    for (const name of REGIONS) region(chart, name)
  }),
)
