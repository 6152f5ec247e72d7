import { startStateward } from '../../controller/src/build/stateward.ts'
import { loadConfig } from '../../controller/src/config/load-config.ts'
import { createLogger } from '../../controller/src/telemetry/logger.ts'
import { answer } from '../support/child-process.ts'

export interface KubeServerOrder {
  readonly databaseUrl: string
  readonly dataDir: string
  readonly repo: string
}

export interface KubeServerAnswer {
  readonly url: string
}

answer(async (message) => {
  const { databaseUrl, dataDir, repo } = message as KubeServerOrder
  const { config } = loadConfig({
    env: {},
    cwd: dataDir,
    flags: { data: dataDir, databaseUrl, repo, port: '0', tlsPort: '0', authMode: 'none', logLevel: 'error' },
  })
  const stateward = await startStateward({
    config,
    environment: { PATH: process.env['PATH'] },
    log: createLogger({ level: 'error', format: 'json', write: (line) => process.stderr.write(line) }),
    directory: null,
    onLeaseLost: () => process.exit(70),
  })
  process.once('SIGTERM', () => void stateward.stop().then(() => process.exit(0)))
  return { url: stateward.url }
})
