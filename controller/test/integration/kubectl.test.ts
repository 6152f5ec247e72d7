import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { createObject, createRun, emit, openGate, updateObject } from '../support/api-rows.ts'
import { startApi, type TestApi } from '../support/api-server.ts'
import { kubectl, kubectlArguments, kubectlMinor, RECENT } from '../support/kubectl.ts'
import { requires } from '../support/requires.ts'

const installed = requires('kubectl')
const minor = installed.available ? kubectlMinor() : 0

let api: TestApi
let folder: string
let uid: string
let run: string
let runId: string
const AGENT = { kind: 'Agent', name: 'sre', labels: { team: 'platform' } }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-kubectl-'))
  api = await startApi({
    listen: true,
    services: {
      logs: {
        run: async (_id, { tailLines }) => lines(['first', 'second', 'third'], tailLines),
        agent: async ({ name }, { tailLines }) => lines([`${name} began`, `${name} works`], tailLines),
        task: async () => lines([], null),
      },
    },
  })
  uid = await createObject(api.store, {
    ...AGENT,
    spec: { replicas: 1 },
    status: { phase: 'Running', readyReplicas: 1 },
  })
  await createObject(api.store, { kind: 'Agent', name: 'scribe', namespace: 'docs', spec: { replicas: 2 } })
  run = 'checkmk-k3q9zt'
  runId = await createRun(api.store, { name: run })
  await emit(api.store, { event_name: 'checkmk.alert', occurred_at: new Date(), data: { host: 'web-1' } })
})
afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
})

async function* lines(all: readonly string[], tail: number | null): AsyncIterable<string> {
  for (const line of tail === null ? all : all.slice(all.length - tail)) yield `${line}\n`
}

const k = (...argv: string[]) => kubectl(kubectlArguments(api.url, folder, argv))

describe.skipIf(!installed.available)(`kubectl ${installed.reason}`, () => {
  it('gets objects as tables with the columns of their kind', async () => {
    const { out } = await k('get', 'agents', '-A')
    expect(out.split('\n')[0]).toMatch(/^NAMESPACE +NAME +READY +STATUS +HOST +PID +REVISION +AGE$/)
    expect(out).toMatch(/^default +sre +/m)
    expect(out).toMatch(/^docs +scribe +/m)
    expect((await k('get', 'ag', '-o', 'wide')).out).toMatch(/PHASE +INSTANCES/)
    expect((await k('get', 'agents', '-l', 'team=platform', '-o', 'name')).out).toBe('agent.stateward.dev/sre\n')
    expect((await k('get', 'agent', 'sre', '-o', 'jsonpath={.spec.replicas}')).out).toBe('1')
    expect((await k('get', 'agents', '-A', '--sort-by=.metadata.name')).out).toMatch(/scribe.+sre/s)
    expect((await k('get', 'agents', '-n', 'docs', '--field-selector', 'metadata.name=scribe', '-o', 'name')).out).toBe(
      'agent.stateward.dev/scribe\n',
    )
  })

  it('gets everything of a category, and runs', async () => {
    const { out } = await k('get', 'all')
    expect(out).toContain('agent.stateward.dev/sre')
    expect(out).toContain(`run.stateward.dev/${run}`)
    expect(out).not.toContain('event/')
    expect((await k('get', 'run', run)).out).toMatch(/NAME +STATUS +BLUEPRINT/)
  })

  it('gets the steps of a run', async () => {
    await openGate(api.store, runId)
    expect((await k('get', 'steps', '-l', `stateward.dev/run=${run}`)).out).toMatch(
      /NAME +STATUS +KIND +TRY +MESSAGE +AGE\n.*\.analyze +completed +agent_task +1 .*\n.*\.approve +running +gate +1 /,
    )
    expect((await k('get', 'step', `${run}.approve`, '-o', 'jsonpath={.status.phase}')).out).toBe('running')
    expect((await k('get', 'steps', '-n', 'docs')).err).toContain('No resources found')
  })

  it('says what is not there in the words of Kubernetes', async () => {
    expect(await k('get', 'agent', 'nobody')).toMatchObject({
      code: 1,
      err: 'Error from server (NotFound): agents.stateward.dev "nobody" not found\n',
    })
    expect((await k('get', 'swans')).err).toContain('the server doesn\'t have a resource type "swans"')
  })

  it('describes an object with its events', async () => {
    const { out, code } = await k('describe', 'agent', 'sre')
    expect(code).toBe(0)
    expect(out).toMatch(/Kind: +Agent/)
    expect(out).toMatch(/Normal +ObjectCreated/)
    expect((await k('describe', 'agent', 'sre', '--show-events=false')).out).not.toContain('ObjectCreated')
  })

  it('lists namespaces, events and what there is', async () => {
    expect((await k('get', 'ns')).out).toMatch(/default +Active.+docs +Active/s)
    const events = (await k('get', 'events')).out
    expect(events.split('\n')[0]).toMatch(/^LAST SEEN +TYPE +REASON +KIND +OBJECT +MESSAGE/)
    expect(events).toMatch(/Normal +checkmk.alert +Environment +default +host=web-1/)
    const resources = (await k('api-resources', '--api-group=stateward.dev', '-o', 'wide')).out
    expect(resources).toMatch(/agents +ag +stateward.dev\/v1alpha1 +true +Agent/)
    expect((await k('api-versions')).out).toBe('stateward.dev/v1alpha1\nv1\n')
    expect((await k('version')).out).toContain('+stateward-')
    expect((await k('get', '--raw', '/kube/healthz')).out).toContain('ok')
  })

  it('prints logs of runs and agents', async () => {
    expect((await k('logs', run)).out).toBe('first\nsecond\nthird\n')
    expect((await k('logs', run, '--tail=1')).out).toBe('third\n')
    expect((await k('logs', run, '--limit-bytes=7')).out).toBe('first\ns')
    expect((await k('logs', 'scribe', '-n', 'docs', '-c', 'agent', '-f')).out).toBe('scribe began\nscribe works\n')
    expect((await k('logs', 'sre', '-c', 'web')).err).toContain('container web is not valid for pod sre')
    expect(await k('logs', 'sre', '--since=5m')).toMatchObject({ code: 1 })
  })

  it('waits, and watches', async () => {
    const waiting = k('wait', '--for=condition=Ready', 'agent/sre', '--timeout=20s')
    const watch = spawn('kubectl', kubectlArguments(api.url, folder, ['get', 'agents', '-w']), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let seen = ''
    watch.stdout.on('data', (chunk) => (seen += String(chunk)))
    try {
      await until('the first row', () => seen.includes('sre'))
      const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'it runs', observedGeneration: 1 }
      const conditions = [{ ...ready, lastTransitionTime: '2030-01-01T00:00:00.000Z' }]
      await updateObject(api.store, { ...AGENT, spec: { replicas: 1 }, status: { conditions } as never }, uid)
      expect(await waiting).toMatchObject({ code: 0, out: 'agent.stateward.dev/sre condition met\n' })
      await until('the change', () => seen.includes('it runs'))
      // The head of the table is written once.
      expect(seen.match(/NAME/g)).toHaveLength(1)
    } finally {
      watch.kill()
    }
  })

  it('is told who it is and what it may', async () => {
    expect((await k('auth', 'can-i', 'list', 'agents')).out).toBe('yes\n')
    expect((await k('auth', 'can-i', 'get', 'pods', '--subresource=log')).out).toBe('yes\n')
    expect((await k('auth', 'can-i', 'get', '/version')).out).toBe('yes\n')
    expect((await k('auth', 'can-i', 'create', 'namespaces')).out).toMatch(/^no/)
    expect((await k('auth', 'can-i', '--list')).out).toMatch(/agents.stateward.dev +\[\] +\[\] +\[get list watch/)
  })

  // Declared where there is one that can: what is skipped counts as failed.
  if (minor >= RECENT)
    it('explains kinds and fields', async () => {
      expect((await k('explain', 'agent.spec.replicas')).out).toContain('replicas <integer>')
      expect((await k('explain', 'blueprint', '--recursive')).out).toContain('plan')
      if (minor >= 28) expect((await k('auth', 'whoami')).out).toContain('Username')
    })
})

describe('answers to clients', () => {
  const get = async (path: string, accept: string) =>
    (await api.server.app.inject({ url: `/kube${path}`, headers: { accept } })).json()

  it('are metadata alone for those who want no more', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
    const list = await get('/apis/stateward.dev/v1alpha1/namespaces/default/agents', accept)
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 'sre' } }] })
    expect(list.items[0]).not.toHaveProperty('spec')
  })

  it('carry in a table what was asked for', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
    const path = '/apis/stateward.dev/v1alpha1/namespaces/default/agents/sre?includeObject='
    const objectOf = async (include: string) => (await get(path + include, accept)).rows[0].object
    expect(await objectOf('None')).toBeUndefined()
    expect(await objectOf('')).toMatchObject({ kind: 'PartialObjectMetadata' })
    expect(await objectOf('Object')).toMatchObject({ kind: 'Agent', spec: { replicas: 1 } })
  })

  it('refuse a review that asks nothing, and protobuf that is none', async () => {
    const url = '/kube/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const post = (payload: Buffer | object, type: string) =>
      api.server.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })
    expect((await post({}, 'application/json')).statusCode).toBe(400)
    for (const bytes of ['', 'k8s', 'k8s\0\xff', 'k8s\0\x12\xff\xff\xff\xff\x0f'])
      expect((await post(Buffer.from(bytes, 'latin1'), 'application/vnd.kubernetes.protobuf')).statusCode).toBe(400)
  })
})
