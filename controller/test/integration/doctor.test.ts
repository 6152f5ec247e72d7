import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { declaredNeeds } from '../../src/build/declared-needs.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { bareRepository, commitFiles } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'

let dataDir: string
let repo: string
beforeAll(() => {
  dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'stateward-doctor-')))
  repo = bareRepository(join(dataDir, 'given.git'))
})
afterAll(() => rmSync(dataDir, { recursive: true }))

const needs = (environment: Readonly<Record<string, string>> = {}) => {
  const { config } = loadConfig({ env: {}, cwd: dataDir, flags: { data: dataDir, repo } })
  return declaredNeeds(config, environment)
}
const keyed = (name: string) => ({
  executor: { http: { url: 'https://x.example/', headers: [{ name: 'K', secretRef: { name, key: 'token' } }] } },
})

it('what the state repo declares names what it misses: providers and tools that are enabled', async () => {
  commitFiles(repo, {
    'models/cloud.yaml': manifest('ModelProvider', 'cloud', {
      type: 'openai',
      pricing: { inputPerMTok: '1', outputPerMTok: '2' },
      models: [{ name: 'm' }],
    }),
    'tools/tickets.yaml': manifest('Tool', 'tickets', keyed('tickets')),
    'tools/pager.yaml': manifest('Tool', 'pager', keyed('pager')),
    'tools/asleep.yaml': manifest('Tool', 'asleep', { ...keyed('asleep'), suspend: true }),
    'tools/free.yaml': manifest('Tool', 'free', { executor: { command: { command: ['true'] } } }),
  })
  mkdirSync(join(dataDir, 'secrets', 'pager'), { recursive: true })
  writeFileSync(join(dataDir, 'secrets', 'pager', 'token'), 'there', { mode: 0o600 })
  const missing = 'STATEWARD_SECRET_TICKETS_TOKEN (secret tickets/token)'
  expect(await needs()).toMatchObject({
    providers: [{ name: 'cloud', missing: ['OPENAI_API_KEY'] }],
    tools: [{ name: 'tickets', missing: [missing], maybe: false }],
  })
  expect(await needs({ STATEWARD_SECRET_TICKETS_TOKEN: 'x', OPENAI_API_KEY: 'y' })).toMatchObject({
    providers: [{ missing: [] }],
    tools: [],
  })
  commitFiles(repo, { 'stores/vault.yaml': manifest('SecretStore', 'vault', { encryptedFile: {} }) })
  expect(await needs()).toMatchObject({ tools: [{ name: 'tickets', maybe: true }] })
})
