import { createHmac, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formsOf, KnownSecrets } from '../../src/telemetry/known-secrets.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { until } from '../support/agent-fleet.ts'
import { git } from '../support/git-remote.ts'
import { sopsFile } from '../support/sops-file.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`
const CANARIES = {
  file: canary('folder'),
  sops: canary('sops'),
  path: canary('path'),
  webhook: canary('webhook'),
}

/** Says everything it knows, everywhere it can: to its output, its log, its result, and over the bus. */
const LEAKY = `
const secret = process.env.PAGER
console.error('using ' + secret)
const say = (path, body) => fetch(process.env.STATEWARD_URL + path, {
  method: 'POST', body: JSON.stringify(body),
  headers: { authorization: 'Bearer ' + process.env.STATEWARD_TOKEN, 'content-type': 'application/json' },
})
await say('/api/v1/messages', { to: { agent: 'leaky' }, type: 'request', subject: 'the key is ' + secret,
  body: secret + ' ' + Buffer.from(secret).toString('base64'), data: { secret }, idempotency_key: 'once' })
console.log(JSON.stringify({ secret, encoded: Buffer.from(secret).toString('base64'), inside: 'x' + secret + 'y' }))
`

const PRINTER = ['sh', '-c', 'echo "on stderr: $TOKEN" >&2; cat; echo "token $TOKEN" | tee kept.txt']
const BROKEN = ['sh', '-c', 'echo "it was $TOKEN" >&2; exit 3']

let here: Installation
let echo: Server
let requests: string[]
beforeAll(async () => {
  requests = []
  echo = createServer((request, response) => {
    const said = String(request.headers.authorization ?? request.headers['x-key'])
    requests.push(said)
    response.setHeader('x-said', said)
    response.end(JSON.stringify({ said }))
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/`
  const identity = await generateX25519Identity()
  const encrypted = await sopsFile({ github: { token: CANARIES.sops }, team: { ops: { deploy: CANARIES.path } } }, [
    await identityToRecipient(identity),
  ])
  const env = [{ name: 'TOKEN', secretRef: { name: 'github', key: 'token' } }]
  const step = (id: string, more: object) => ({ id, kind: 'action_task', needs: [], ...more })
  here = await createInstallation({
    'secrets/all.enc.yaml': encrypted,
    'stores.yaml': manifest('SecretStore', 'repo', { sops: { path: 'secrets/all.enc.yaml' } }),
    'tools.yaml': [
      manifest('Tool', 'printer', { executor: { command: { command: PRINTER, env } } }),
      manifest('Tool', 'broken', { executor: { command: { command: BROKEN, env } } }),
    ].join('---\n'),
    'agents/leaky.mjs': LEAKY,
    'leaky.yaml': agent('leaky', {
      runtime: {
        process: {
          command: ['sh', '-c', 'exec node "$STATEWARD_FILES/leaky.mjs"'],
          mode: 'perTask',
          workdir: 'agents',
          env: [{ name: 'PAGER', secretRef: { name: 'pager', key: 'token' } }],
        },
      },
    }),
    'blueprints.yaml': [
      manifest('Blueprint', 'leaks', {
        triggers: [{ webhook: { name: 'forge', secretRef: { name: 'hooks', key: 'forge' } } }],
        plan: [
          step('printed', { action: 'printer', with: { a: 1 } }),
          step('called', { action: 'http.call', with: { url, bearer_ref: 'team/ops/deploy' } }),
          step('header', { action: 'http.call', with: { url, headers: { 'x-key_ref': 'team/ops/deploy' } } }),
          step('asked', { kind: 'agent_task', agent: 'leaky', prompt: 'tell me everything' }),
          { id: 'kept', kind: 'action_task', needs: ['printed'], action: 'artifact.put', with: { path: 'kept.txt' } },
        ],
        outputs: [{ name: 'all', value: '{{ steps.called.output }}' }],
      }),
      manifest('Blueprint', 'fails', { plan: [step('broken', { action: 'broken', with: {} })] }),
      manifest('Blueprint', 'chosen', {
        inputs: [{ name: 'which', schema: { type: 'string' } }],
        plan: [step('called', { action: 'http.call', with: { url, headers: { 'x-key_ref': '{{ inputs.which }}' } } })],
        outputs: [{ name: 'said', value: '{{ steps.called.output.body }}' }],
      }),
    ].join('---\n'),
  })
  const put = (path: string, value: string) => {
    const file = join(here.dataDir, 'secrets', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `${value}\n`, { mode: 0o600 })
  }
  put('age/identity', identity)
  put('pager/token', CANARIES.file)
  put('hooks/forge', CANARIES.webhook)
  const known = new KnownSecrets()
  const write = (line: string) => here.log.push(JSON.parse(line))
  const log = createLogger({ level: 'trace', format: 'json', write, redact: known.redact })
  await here.start({}, { known, log })
  log.info({ url }, 'here')
})
afterAll(async () => {
  await here.end()
  echo.close()
})

async function ended(run: unknown): Promise<Record<string, unknown>> {
  const id = String((run as { run_id: string }).run_id)
  return until(`run ${id}`, async () => {
    const { body } = await here.ask('GET', `/api/v1/runs/${id}`)
    return ['completed', 'failed'].includes(String(body['status'])) ? body : null
  })
}

async function start(blueprint: string, inputs: object = {}): Promise<Record<string, unknown>> {
  const { status, body } = await here.post('/api/v1/runs', { blueprint_ref: blueprint, inputs })
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return ended(body)
}

/** Where any form of any secret stands. */
function leaksIn(where: string, text: string): string[] {
  return Object.entries(CANARIES).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => text.includes(form)) ? [`${name} in ${where}`] : [],
  )
}

describe('secrets that were used by tools, an agent and a webhook', () => {
  it('reach those that name them', async () => {
    expect(here.stateward.sync.state.sync?.issues).toEqual([])
    await here.untilCondition('SecretStore/repo', 'Ready', 'True')
    expect(here.object('SecretStore/repo').status['secrets']).toBe(2)
    const run = await start('leaks')
    expect(run['status'], JSON.stringify(run)).toBe('completed')
    expect(requests.sort()).toEqual([`Bearer ${CANARIES.path}`, CANARIES.path].sort())
    const failed = await start('fails')
    expect(failed['status']).toBe('failed')
    const body = JSON.stringify({ action: 'opened' })
    const signature = `sha256=${createHmac('sha256', CANARIES.webhook).update(body).digest('hex')}`
    const delivered = await fetch(`${here.stateward.url}/api/v1/webhooks/forge`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature, 'x-github-delivery': 'one' },
    })
    expect(delivered.status).toBe(202)
    await here.stateward.settled()
  })

  it('are told by name, each use of a run for itself', async () => {
    const used = (await here.events()).filter(({ event_name }) => event_name === 'stateward.secret.used')
    const told = new Set(used.map(({ data }) => `${data['consumer']} ${data['secret']} ${data['provider']}`))
    expect([...told].sort()).toEqual([
      'agent:default/leaky pager/token data folder',
      'tool:default/broken github/token SecretStore/repo',
      'tool:default/http.call team/ops/deploy SecretStore/repo',
      'tool:default/printer github/token SecretStore/repo',
      'webhook:default/forge hooks/forge data folder',
    ])
    expect(used.filter(({ data }) => data['consumer'] === 'tool:default/http.call').length).toBeGreaterThanOrEqual(2)
  })

  it('are not chosen by who starts a run', async () => {
    const run = await start('chosen', { which: 'team/ops/deploy' })
    expect(run['status']).toBe('completed')
    expect(requests).toContain('undefined')
    expect(JSON.stringify(run['outputs'])).toContain('undefined')
  })

  it('are nowhere in the database', async () => {
    const tables = await here.sql<{ name: string }[]>`
      SELECT quote_ident(table_name) AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
    const leaks: string[] = []
    let rows = 0
    for (const { name } of tables) {
      for (const { row } of await here.sql.unsafe<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`)) {
        rows++
        leaks.push(...leaksIn(`table ${name}: ${row.slice(0, 300)}`, row))
      }
    }
    expect(leaks).toEqual([])
    expect(tables.length).toBeGreaterThan(40)
    expect(rows).toBeGreaterThan(50)
  })

  it('are nowhere in the log of the process, the logs of runs and agents, or the artifacts', async () => {
    expect(leaksIn('the log', here.log.map((line) => JSON.stringify(line)).join('\n'))).toEqual([])
    const leaks: string[] = []
    let files = 0
    const look = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name)
        // What a program printed or wrote itself lies there as it is, and is shown without secrets. And where they come from.
        if (['instances', 'secrets', 'workspaces', 'kept.txt', 'given.git'].includes(entry.name)) continue
        if (entry.isDirectory()) look(path)
        else if (entry.isFile()) {
          files++
          leaks.push(...leaksIn(path, readFileSync(path, 'latin1')))
        }
      }
    }
    look(here.dataDir)
    expect(leaks).toEqual([])
    expect(files).toBeGreaterThan(3)
  })

  it('are nowhere in the status branch and the notes', () => {
    const refs = git(here.repo, ['for-each-ref', '--format=%(refname)']).split('\n')
    const written = refs.filter((ref) => ref.includes('stateward'))
    expect(written.length).toBeGreaterThan(0)
    for (const ref of written) {
      const text = git(here.repo, ['log', '-p', '--format=%B', ref])
      expect(leaksIn(ref, text)).toEqual([])
    }
  })

  it('are nowhere in what the API answers', async () => {
    const token = readFileSync(join(here.dataDir, 'credentials/admin'), 'utf8').trim()
    const read = async (path: string) => {
      const response = await fetch(here.stateward.url + path, { headers: { authorization: `Bearer ${token}` } })
      return await response.text()
    }
    const runs = JSON.parse(await read('/api/v1/runs?limit=100')) as { items: { run_id: string }[] }
    const tasks = JSON.parse(await read('/api/v1/tasks?limit=100')) as { items: { task_id: string }[] }
    const paths = [
      ...[
        'runs',
        'events?limit=500',
        'tasks',
        'messages',
        'artifacts',
        'alerts',
        'agents',
        'secrets',
        'secrets/providers',
      ].map((path) => `/api/v1/${path}`),
      ...['agents', 'tools', 'blueprints', 'secretstores', 'runs'].map(
        (plural) => `/kube/apis/stateward.dev/v1alpha1/${plural}`,
      ),
      ...runs.items.flatMap(({ run_id: id }) => [
        `/api/v1/runs/${id}`,
        `/api/v1/runs/${id}/steps`,
        `/api/v1/runs/${id}/logs`,
      ]),
      ...tasks.items.flatMap(({ task_id: id }) => [`/api/v1/tasks/${id}`, `/api/v1/tasks/${id}/logs`]),
      '/metrics',
    ]
    const texts = await Promise.all(paths.map(async (path) => [path, await read(path)] as const))
    expect(texts.flatMap(([path, text]) => leaksIn(`${path}: ${text.slice(0, 200)}`, text))).toEqual([])
    const all = texts.map(([, text]) => text).join('\n')
    for (const said of ['token [redacted]', 'Bearer [redacted]', 'the key is [redacted]', 'it was [redacted]'])
      expect(all.includes(said), said).toBe(true)
    const secrets = JSON.parse(await read('/api/v1/secrets')) as { items: { secret: string; provider: string }[] }
    expect(secrets.items.map(({ secret, provider }) => `${secret} ${provider}`)).toEqual([
      'github/token SecretStore/repo',
      'hooks/forge data folder',
      'pager/token data folder',
      'team/ops/deploy SecretStore/repo',
    ])
  })
})
