import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureAdminCredential } from '../api/auth/admin-credential.ts'
import { createApiServer } from '../api/server.ts'
import { KINDS } from '../kinds/registry.ts'
import { packageRoot, packageVersion } from '../lib/package-root.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { agentTexts } from './agent-texts.ts'
import { authOf } from './auth-options.ts'
import type { Core } from './core.ts'
import { scrapedMetrics } from './metrics.ts'
import { apiServices } from './services.ts'
import { blueprintsOf } from './world-views.ts'

export interface ServedApi {
  /** As people call it. */
  readonly url: string
  /** As agents of this machine call it. */
  readonly local: string
  close(): Promise<void>
  /** Clients of the data folder find it no more. */
  forget(): Promise<void>
}

/** Serves the API and the page, as the roles are; it answers once the accepted state is known, and writes its address into the data folder. */
export async function serveApi(core: Core, accepted: ReadonlyMap<string, AcceptedBlueprint>): Promise<ServedApi> {
  const { config, store, feed, world, folder, log, metrics, parts, front, phases, certificate } = core
  const adminToken = await ensureAdminCredential(config.data)
  const services = apiServices(core, blueprintsOf(world, accepted))
  const api = await createApiServer(
    {
      hosts: config.host,
      port: config.port,
      ...(front === null ? {} : { front }),
      auth: authOf(config, adminToken),
      limits: config.limits,
      page: core.roles.has('ui') ? { folder: join(packageRoot(), 'ui', 'dist'), home: config.ui.home } : null,
      readsOnly: !core.roles.has('api'),
      trusted: { names: config.names, origins: config.origins },
      version: packageVersion(),
      ...(certificate === null ? {} : { authority: certificate.ca }),
    },
    {
      store,
      feed,
      services,
      kinds: KINDS,
      metrics: scrapedMetrics(metrics, core, () => services.agentReaders.countByHealth()),
      log,
      redact: agentTexts(core, parts.agents!),
      loaded: () => phases.has('rest'),
      streamsOpen: () => phases.has('streams'),
      checks: [
        { name: 'started', problem: async () => phases.problem() },
        {
          name: 'reconciled',
          problem: async () =>
            parts.leader === null || parts.leader.isReady() ? null : 'the first revision is not accepted yet',
        },
      ],
    },
  )
  const { urls, port, streamsUrl } = await api.listen()
  const local = `http://127.0.0.1:${port}`
  const url = urls[0] ?? local
  const written = `${JSON.stringify({ url, streams: streamsUrl, pid: process.pid })}\n`
  // Clients of the data folder want all of the API.
  if (core.roles.has('api')) await writeFile(folder.serverFile, written)
  return {
    url,
    local,
    close: () => api.close(),
    async forget() {
      // Another process of the folder may have written its own.
      if (textOf(folder.serverFile) === written) await rm(folder.serverFile, { force: true })
    },
  }
}

/** Where the agents of a process without an API report: what the configuration or the data folder says. */
export function agentsUrl({ config, folder }: Core): string {
  const fallback = `http://127.0.0.1:${config.port}`
  if (config.server !== null) return config.server
  const text = textOf(folder.serverFile)
  return text === null ? fallback : (JSON.parse(text) as { url: string }).url
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
