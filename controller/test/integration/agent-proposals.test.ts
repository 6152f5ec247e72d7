import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asAda, type Call } from '../support/bus-agents.ts'
import { GITHUB_TOKEN } from '../support/fake-secrets.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const TWO = `# people on call look here first
apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata: {name: first}
spec:
  replicas: 1 # one is enough
  runtime: {process: {command: [cat], mode: perTask}}
---
apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata: {name: second}
spec: {runtime: {process: {command: [cat], mode: perTask}}}
`
const LIST = `apiVersion: v1
kind: List
items:
  - apiVersion: stateward.dev/v1alpha1
    kind: Agent
    metadata: {name: listed}
    spec: {runtime: {process: {command: [cat], mode: perTask}}}
`
const SPEC = { runtime: { process: { command: ['cat'], mode: 'perTask' } } }

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({ 'agents/two.yaml': TWO, 'agents/list.yaml': LIST })
  await here.start()
  ada = asAda(here)
})
afterAll(() => here.end())

const show = (branch: string, file: string) => git(here.repo, ['show', `${branch}:${file}`])
async function merge(branch: string): Promise<void> {
  git(here.repo, ['update-ref', 'refs/heads/main', tipOf(here.repo, branch)!])
  git(here.repo, ['update-ref', '-d', `refs/heads/${branch}`])
  await here.post('/api/v1/sources/state/sync', {})
  await here.stateward.settled()
}

describe('a proposal of an agent', () => {
  it('is a commit on a branch, and the agent is there when it is merged', async () => {
    const asked = { name: 'greeter', labels: { team: 'hello' }, spec: SPEC, reason: 'somebody has to greet' }
    const { status, body } = await ada('POST', '/api/v1/agents', asked)
    expect(body).toMatchObject({
      name: 'greeter',
      namespace: 'default',
      proposal: { branch: 'proposals/add-agent-greeter', reused: false },
    })
    expect(status).toBe(202)
    expect(here.stateward.world.get('Agent/default/greeter')).toBeUndefined()
    const { branch, commit } = body.proposal
    expect(tipOf(here.repo, branch)).toBe(commit)
    const message = git(here.repo, ['log', '-1', '--format=%an%n%B', commit])
    expect(message).toContain('user:ada')
    expect(message).toContain('add Agent default/greeter\n\nsomebody has to greet')
    expect(message).toContain(`Stateward-Correlation: ${body.correlation_id}`)
    await merge(branch)
    expect(here.object('Agent/default/greeter')).toMatchObject({ labels: { team: 'hello' }, spec: SPEC })
    const opened = (await here.events()).filter(({ event_name }) => event_name === 'stateward.proposal.opened')
    expect(opened).toMatchObject([
      { actor: 'user:ada', data: { branch, commit, kind: 'Agent', name: 'greeter', merged: false } },
    ])
    expect((await ada('POST', '/agents', asked)).body.error.code).toBe('conflict')
  })

  it('that is there already is not made twice, and another one gets a number', async () => {
    const change = (replicas: number) => ada('PATCH', '/api/v1/agents/second', { spec: { replicas } })
    const first = (await change(2)).body.proposal
    expect((await change(2)).body.proposal).toEqual({ ...first, reused: true })
    expect((await change(3)).body.proposal.branch).toBe('proposals/update-agent-second-2')
    expect((await change(1)).status).toBe(202)
  })

  it('of a change keeps comments and everything else of the file', async () => {
    const { body } = await ada('PATCH', '/agents/first', {
      spec: { replicas: 4, description: 'calls people', runtime: { process: { mode: null } } },
      labels: { on: 'call' },
    })
    const text = show(body.proposal.branch, 'agents/two.yaml')
    expect(text).toContain('# people on call look here first')
    expect(text).toContain('replicas: 4 # one is enough')
    await merge(body.proposal.branch)
    expect(here.object('Agent/default/first')).toMatchObject({
      labels: { on: 'call' },
      spec: { replicas: 4, description: 'calls people', runtime: { process: { command: ['cat'] } } },
    })
    expect(here.object('Agent/default/second').spec).toEqual(SPEC)
  })

  it('of a removal takes the document out of its file', async () => {
    const { body } = await ada('DELETE', '/api/v1/agents/second')
    expect(body.proposal.branch).toBe('proposals/delete-agent-second')
    await merge(body.proposal.branch)
    expect(here.stateward.world.get('Agent/default/second')?.deleting ?? true).toBe(true)
    expect(show('main', 'agents/two.yaml')).not.toContain('second')
  })

  it('is refused when it holds a secret in plain sight', async () => {
    const spec = { ...SPEC, description: `call with ${GITHUB_TOKEN}` }
    const { status, body } = await ada('POST', '/api/v1/agents', { name: 'leaky', spec })
    expect([status, body.error.code]).toEqual([422, 'plaintext_secret'])
    expect(body.error.message).toMatch(/leaky\.yaml:[0-9]+:[0-9]+: error: .*github token/)
    expect(JSON.stringify(body)).not.toContain(GITHUB_TOKEN)
    expect(tipOf(here.repo, 'proposals/add-agent-leaky')).toBeNull()
  })

  it('is refused with everything that is wrong with it', async () => {
    const spec = { replicas: -1, runtime: { process: { mode: 'sometimes' } }, colour: 'red' }
    const { status, body } = await ada('POST', '/api/v1/agents', { name: 'bad', spec })
    expect(status).toBe(400)
    expect(body.error.code).toBe('validation_failed')
    expect(body.error.details.violations.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['body/spec/replicas', 'body/spec/runtime/process/mode']),
    )
    const refused = async (more: object) =>
      (await ada('POST', '/api/v1/agents', { name: 'bad', ...more })).body.error.code
    expect(await refused({ spec: { ...SPEC, templateRef: { name: 'nowhere' } } })).toBe('validation_failed')
    expect(await refused({ spec: {} })).toBe('validation_failed')
    expect((await ada('PATCH', '/api/v1/agents/first', { spec: { runtime: null } })).body.error.code).toBe(
      'validation_failed',
    )
    expect((await ada('PATCH', '/api/v1/agents/first', {})).body.error.code).toBe('conflict')
    expect((await ada('DELETE', '/api/v1/agents/nobody')).body.error.code).toBe('not_found')
    // A list is for people to edit.
    expect((await ada('DELETE', '/api/v1/agents/listed')).body.error.code).toBe('conflict')
    expect(git(here.repo, ['branch', '--list', 'proposals/*-bad*'])).toBe('')
  })
})
