import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Agents } from '../../src/agents/agents.ts'
import { DEFAULT_SETTINGS } from '../../src/agents/context.ts'
import { connectCluster } from '../../src/kube-client/connect.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { DatabaseUrls } from '../../src/store/database.ts'
import { openStore } from '../../src/store/store.ts'
import { aTarget } from './agent-target.ts'
import { quietLog } from './quiet-log.ts'
import { secretsFrom } from './secrets.ts'

/** A process that does nothing but look after one agent of pods, until it is killed. */

export interface PodsProcessConfig {
  readonly urls: DatabaseUrls
  readonly dataDir: string
  readonly kubeconfig: string
  readonly namespace: string
  readonly command: readonly string[]
}

const LOOK_MS = 100

const config = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as PodsProcessConfig
const store = await openStore(config.urls, {
  ...{ clock: systemClock, log: quietLog, roles: ['controller'], host: 'local', dataDirLocked: false },
  onLeaseLost: () => process.exit(70),
})
const host = { name: 'local', slots: 10 }
const agents = new Agents({
  ...{ store, clock: systemClock, log: quietLog, dataDir: config.dataDir },
  url: () => 'http://nowhere',
  inherited: { PATH: process.env['PATH'] ?? '' },
  nodeFolder: dirname(process.execPath),
  localHost: () => host,
  secrets: secretsFrom(new Map()),
  writeTree: async () => {},
  placements: { place: async () => [], hindrance: async () => ({ held: [], obstacle: null }), forget: async () => {} },
  databaseUrl: () => null,
  isDatabaseHost: async () => false,
  pods: {
    ...{ namespace: config.namespace, url: 'http://in.cluster', filesImage: null },
    connect: () => connectCluster({ kubeconfig: config.kubeconfig, context: null }),
  },
  nudgeRun: () => {},
  interventions: { tell: async () => ({ all: [], fresh: 0 }) },
  settings: { ...DEFAULT_SETTINGS, tickMs: 50, retryMs: 100 },
})
await agents.start()
const pod = {
  ...{ image: 'coder:1', mode: 'perTask' as const, stdin: 'json' as const },
  ...{ command: [...config.command], ttlSecondsAfterFinished: 0 },
}
const target = { ...aTarget({ mode: 'perTask', command: [], grace: 1 }), pod }
for (;;) {
  // What fails is looked at again.
  await agents.ensure(target).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
}
