import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { json } from 'node:stream/consumers'
import { generateX25519Identity } from 'age-encryption'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ownIdentity, readAgeFile, writeAgeFile } from '../../src/secrets/age-file-store.ts'
import { dataFolderStore, environmentStore } from '../../src/secrets/data-folder-store.ts'
import { declaredStores } from '../../src/secrets/declared-stores.ts'
import { kubernetesStore } from '../../src/secrets/kubernetes-store.ts'
import { createSecrets, type Secrets } from '../../src/secrets/secrets.ts'
import { openSops } from '../../src/secrets/sops/open-sops.ts'
import { KnownSecrets } from '../../src/telemetry/known-secrets.ts'
import { sopsFile } from '../support/sops-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateward-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(path: string, text: string, mode = 0o600): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
}
const token = { name: 'github', key: 'token' }
const openai = { name: 'sys/prod/providers', key: 'openai' }

describe('the data folder', () => {
  it('has a file for each secret, which nobody else may read', async () => {
    put('github/token', 'from-file\n')
    put('sys/prod/providers/openai', 'by-path')
    put('open/key', 'x', 0o644)
    const store = dataFolderStore(folder)
    expect(await store.find(token)).toBe('from-file')
    expect(await store.find(openai)).toBe('by-path')
    expect(await store.find({ name: 'github', key: 'none' })).toBeNull()
    expect(await store.find({ name: 'sys/prod', key: 'providers' })).toBeNull()
    await expect(store.find({ name: 'open', key: 'key' })).rejects.toMatchObject({
      ref: 'SW_SECRET_MISSING',
      message: expect.stringContaining('others may read'),
      remedy: `chmod 600 ${join(folder, 'open/key')}`,
    })
    expect(await store.list()).toEqual(['github/token', 'open/key', 'sys/prod/providers/openai'])
    expect(await dataFolderStore(join(folder, 'none')).list()).toEqual([])
  })

  it('is never left', async () => {
    put('outside', 'x')
    const store = dataFolderStore(join(folder, 'secrets'))
    for (const name of ['..', '../..', 'a/../..', '.']) expect(await store.find({ name, key: 'outside' })).toBeNull()
  })
})

describe('the encrypted file', () => {
  it('opens with its identity and nobody else’s, and shows nothing', async () => {
    const file = join(folder, 'secrets.age')
    const identity = (await ownIdentity(folder, true))!
    expect(await ownIdentity(folder, true)).toBe(identity)
    expect(statSync(join(folder, 'credentials/secrets-identity')).mode & 0o777).toBe(0o600)
    expect(await readAgeFile(file, identity)).toEqual(new Map())
    await writeAgeFile(file, identity, new Map([['github/token', 'canary-in-the-file']]))
    expect(await readAgeFile(file, identity)).toEqual(new Map([['github/token', 'canary-in-the-file']]))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file).includes('canary')).toBe(false)
    await expect(readAgeFile(file, await generateX25519Identity())).rejects.toMatchObject({ ref: 'SW_SECRET_MISSING' })
  })
})

/** Without the program `sops` at hand: its format, with a key that `age` itself has encrypted for an identity of `age-keygen`. */
describe('a file of SOPS whose key the program age has encrypted', () => {
  const hasAge = ['age', 'age-keygen'].every((name) => spawnSync(name, ['--version']).status === 0)

  it.skipIf(!hasAge)('opens with the file that age-keygen wrote, and age opens what our files hold', async () => {
    const keygen = join(folder, 'keys.txt')
    execFileSync('age-keygen', ['-o', keygen], { stdio: 'ignore' })
    const recipient = execFileSync('age-keygen', ['-y', keygen], { encoding: 'utf8' }).trim()
    const tree = { github: { token: 'ghp-of-the-file' }, sys: { prod: { providers: { openai: 'sk-of-the-file' } } } }
    const file = await sopsFile(tree, [recipient], {
      wrap: async (key, to) => execFileSync('age', ['-r', to, '--armor'], { input: key, encoding: 'utf8' }),
    })
    const opened = await openSops(file, readFileSync(keygen, 'utf8'))
    expect([...opened].sort()).toEqual([
      ['github/token', 'ghp-of-the-file'],
      ['sys/prod/providers/openai', 'sk-of-the-file'],
    ])
    await expect(openSops(file.replace(/data:../, 'data:AA'), readFileSync(keygen, 'utf8'))).rejects.toMatchObject({
      ref: 'SW_SECRET_MISSING',
    })
    const ours = join(folder, 'ours.age')
    await writeAgeFile(ours, readFileSync(keygen, 'utf8').split('\n').at(-2)!, new Map([['a/b', 'c']]))
    expect(JSON.parse(execFileSync('age', ['-d', '-i', keygen, ours], { encoding: 'utf8' }))).toEqual({ 'a/b': 'c' })
  })
})

/** The Secrets of a cluster, as its API server answers. */
function apiServer(secrets: Record<string, Record<string, string>>) {
  const asked: string[] = []
  const encode = (data: Record<string, string>) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const secretOf = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'fleet', uid: '1', resourceVersion: '7' },
    type: 'Opaque',
    data: encode(secrets[name]!),
  })
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    const name = /^\/api\/v1\/namespaces\/fleet\/secrets(?:\/([^/?]+))?$/.exec(request.url ?? '')
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    const failure = (code: number, reason: string) =>
      answer(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, code })
    if (request.headers.authorization === 'Bearer reader' && request.method !== 'GET') failure(403, 'Forbidden')
    else if (!/^Bearer (service-account|reader)$/.test(request.headers.authorization ?? ''))
      failure(401, 'Unauthorized')
    else if (name !== null && request.method !== 'GET')
      void json(request).then((body) => {
        const { metadata, data } = body as { metadata?: { name: string }; data: Record<string, string> }
        const known = name[1] === undefined ? undefined : secrets[name[1]]
        if (request.method === 'PATCH' && known === undefined) return failure(404, 'NotFound')
        if (request.method === 'PATCH' && request.headers['content-type'] !== 'application/merge-patch+json')
          return failure(415, 'UnsupportedMediaType')
        const plain = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
        const to = name[1] ?? metadata!.name
        secrets[to] = { ...known, ...Object.fromEntries(plain) }
        answer(request.method === 'POST' ? 201 : 200, secretOf(to))
      })
    else if (name === null) failure(403, 'Forbidden')
    else if (name[1] === undefined)
      answer(200, { kind: 'SecretList', apiVersion: 'v1', metadata: {}, items: Object.keys(secrets).map(secretOf) })
    else if (secrets[name[1]] === undefined) failure(404, 'NotFound')
    else answer(200, secretOf(name[1]))
  })
  return { server, asked }
}

describe('a Kubernetes cluster', () => {
  let server: Server
  let asked: string[]
  let kubeconfig: string
  beforeAll(async () => {
    const made = apiServer({
      github: { token: 'from-the-cluster' },
      'sys-prod-providers': { openai: 'by-path' },
    })
    ;({ server, asked } = made)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => void server.close())
  const configured = (token = 'service-account') => {
    const { port } = server.address() as AddressInfo
    kubeconfig = join(folder, 'kubeconfig')
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'main',
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
    return (namespace: string) =>
      kubernetesStore({ name: 'SecretStore/cluster', namespace, context: 'main', kubeconfig })
  }

  it('answers with the data of its Secrets; a path is a name with dashes', async () => {
    const store = configured()('fleet')
    expect(await store.find(token)).toBe('from-the-cluster')
    expect(await store.find(openai)).toBe('by-path')
    expect(await store.find({ name: 'github', key: 'none' })).toBeNull()
    expect(await store.find({ name: 'none', key: 'none' })).toBeNull()
    expect(await store.list()).toEqual(['github/token', 'sys-prod-providers/openai'])
    expect(asked).toContain('GET /api/v1/namespaces/fleet/secrets/github Bearer service-account')
  })

  it('takes a value: one key of a Secret whose others stay, or a new Secret; an account that may not says so', async () => {
    const store = configured()('fleet')
    await store.write!({ name: 'github', key: 'hook' }, 'two\nlines')
    expect(await store.find({ name: 'github', key: 'hook' })).toBe('two\nlines')
    expect(await store.find(token)).toBe('from-the-cluster')
    await store.write!({ name: 'sys/new', key: 'k' }, 'v')
    expect(await store.find({ name: 'sys/new', key: 'k' })).toBe('v')
    expect(asked).toContain('POST /api/v1/namespaces/fleet/secrets Bearer service-account')
    await expect(configured('reader')('fleet').write!(token, 'x')).rejects.toMatchObject({
      ref: 'SW_SECRET_READ_ONLY',
      message: 'SecretStore/cluster cannot write Secret fleet/github: the API server answered 403',
    })
    expect(await configured()('fleet').find(token)).toBe('from-the-cluster')
  })

  it('that refuses says so without what it answered', async () => {
    await expect(configured('wrong')('fleet').find(token)).rejects.toMatchObject({
      ref: 'SW_SECRET_MISSING',
      message: 'SecretStore/cluster cannot read Secret fleet/github: the API server answered 401',
      remedy: expect.stringContaining('KUBECONFIG'),
    })
    await expect(configured()('kube-system').list()).rejects.toThrow(/answered 403/)
  })
})

describe('the stores together', () => {
  const stored: Record<string, string> = {}
  const made = (more: Partial<Parameters<typeof createSecrets>[0]> = {}): Secrets => {
    const builtin = [
      environmentStore((name, key) => (name === 'env' && key === 'k' ? 'from-environment' : undefined)),
      dataFolderStore(folder),
    ]
    const stores = declaredStores({
      builtin,
      root: folder,
      ageFile: join(folder, 'secrets.age'),
      cluster: { kubeconfig: null, context: null },
      secretFile: async (store) => (stored[store] === undefined ? null : { oid: 'o', content: stored[store] }),
    })
    return createSecrets({
      builtin,
      declared: () => stores([{ name: 'local', spec: { encryptedFile: {}, paths: ['team/*'] } }]),
      known: new KnownSecrets(),
      gate: async () => {},
      told: async () => {},
      written: async () => {},
      ...more,
    })
  }
  const use = { consumer: 'tool:default/x', namespace: 'default' }

  it('are asked in their order, a declared one only for its paths', async () => {
    put('team/ops/pager', 'from-folder')
    const identity = (await ownIdentity(folder, true))!
    const content = new Map([
      ['team/ops/pager', 'from-age'],
      ['team/ops/only', 'from-age'],
      ['github/token', 'from-age'],
    ])
    await writeAgeFile(join(folder, 'secrets.age'), identity, content)
    const secrets = made()
    expect(await secrets.read({ name: 'env', key: 'k' }, use)).toBe('from-environment')
    expect(await secrets.read({ name: 'team/ops', key: 'pager' }, use)).toBe('from-folder')
    expect(await secrets.read({ name: 'team/ops', key: 'only' }, use)).toBe('from-age')
    expect(await secrets.read(token, use)).toBeNull()
    expect(await secrets.check({ name: 'team/ops', key: 'only' })).toEqual({
      secret: 'team/ops/only',
      provider: 'SecretStore/local',
      problem: null,
    })
    expect((await secrets.list()).map(({ provider, secrets: names }) => [provider, names?.length ?? null])).toEqual([
      ['environment', null],
      ['data folder', 2],
      ['SecretStore/local', 3],
    ])
  })

  it('hand out nothing that the gate refuses, and nothing before it is told', async () => {
    put('github/token', 'value-of-the-file')
    const denied = made({ gate: () => Promise.reject(new Error('denied')) })
    await expect(denied.read(token, use)).rejects.toThrow('denied')
    const untold = made({ told: () => Promise.reject(new Error('no log')) })
    await expect(untold.read(token, use)).rejects.toThrow('no log')
    const told: string[] = []
    const known = new KnownSecrets()
    const secrets = made({
      known,
      told: async ({ name, key }, { consumer }, provider) => void told.push(`${consumer} ${name}/${key} ${provider}`),
    })
    expect(await secrets.peek(token)).toBe('value-of-the-file')
    expect(told).toEqual([])
    expect(await secrets.read(token, use)).toBe('value-of-the-file')
    expect(told).toEqual(['tool:default/x github/token data folder'])
    expect(known.redact('a value-of-the-file b')).toBe('a [redacted] b')
  })

  it('tell why one cannot be used', async () => {
    put('github/token', 'x', 0o644)
    expect(await made().check(token)).toMatchObject({
      provider: null,
      problem: expect.stringMatching(/others may read/),
    })
    expect(await made().check({ name: 'no', key: 'where' })).toMatchObject({ provider: null, problem: null })
  })
})
