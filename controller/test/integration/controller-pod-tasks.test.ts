import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { freePort } from '../support/free-port.ts'
import { git } from '../support/git-remote.ts'
import { FakeCluster } from '../support/kube-api/fake-kubelet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

/** The programs of pods run here, as processes: what they clone, read, print and push is real. */

const NAMESPACE = 'robots'

const PROPOSES = `
set -e
git clone -q --single-branch "$STATEWARD_GIT_URL" "$STATEWARD_WORKSPACE/state"
cd "$STATEWARD_WORKSPACE/state"
git switch -q -c "agents/$STATEWARD_NAMESPACE/$STATEWARD_AGENT/notes"
mkdir -p docs && cp "$STATEWARD_FILES/notes.md" docs/notes.md
git add -A && git commit -q -m 'Take notes'
git push -q origin HEAD
echo 'pushed' >&2
sh "$STATEWARD_FILES/answer.sh"
`

const spec = (pod: object) => ({ runtime: { pod: { image: 'coder:1', mode: 'perTask', ...pod } } })

let here: Installation
let cluster: FakeCluster
let ada: Call
beforeAll(async () => {
  cluster = await new FakeCluster().start()
  cluster.runPrograms()
  here = await createInstallation(null)
  const kubeconfig = join(here.dataDir, 'kubeconfig')
  writeFileSync(kubeconfig, cluster.server.kubeconfig())
  const port = String(await freePort(2))
  const pods = { podsNamespace: NAMESPACE, podsUrl: `http://127.0.0.1:${port}`, podsImage: 'stateward:1' }
  await here.start({ port, kubeconfig, ...pods })
  ada = asAda(here)
}, 60_000)
afterAll(async () => {
  await here.end()
  await cluster.stop()
})

async function taskOf(agent: string, inputs: object) {
  const { body } = await ada('POST', '/api/v1/tasks', { agent, prompt: 'Write it down', inputs })
  return until('the end of the task', async () => {
    const found = (await ada('GET', `/api/v1/tasks/${body['task_id']}`)).body
    return ['completed', 'failed'].includes(String(found['status'])) ? found : null
  })
}

describe('an agent of one pod a task', () => {
  it('has the files of its workdir as they were applied, and what it commits comes back as a proposal', async () => {
    await here.apply({
      'agents/noter.yaml': manifest(
        'Agent',
        'noter',
        spec({ command: ['sh', '-c', PROPOSES], workdir: 'agents/noter' }),
      ),
      'agents/noter/notes.md': '# Notes\n',
      'agents/noter/answer.sh': 'sed "s/.*\\"inputs\\":\\({[^}]*}\\).*/\\1/"\n',
    })
    const task = await taskOf('noter', { ticket: 'OPS-1' })
    expect([task['error'], task['output']]).toEqual([null, { ticket: 'OPS-1' }])
    const log = await here.ask('GET', `/api/v1/agents/noter`)
    expect(log.body).toMatchObject({ mode: 'perTask', status: 'healthy' })
    const { body } = await ada('GET', `/api/v1/proposals/${encodeURIComponent('agents/default/noter/notes')}`)
    expect(body).toMatchObject({ state: 'open', author: 'agent:default/noter', title: 'Take notes' })
    expect(git(here.repo, ['log', '-1', '--format=%an', body['head']])).toBe('agent:default/noter')
    expect(git(here.repo, ['show', `${body['head']}:docs/notes.md`])).toBe('# Notes')

    // A change of the files alone is what the next task has.
    await here.apply({ 'agents/noter/answer.sh': 'echo \'{"version": 2}\'\n', 'agents/noter/notes.md': '# More\n' })
    const fails = await taskOf('noter', {})
    // Its branch is there already, with another commit.
    expect(fails).toMatchObject({ status: 'failed', error: { code: 'agent_failed' } })
    expect(JSON.stringify(fails)).toContain('rejected')
  })

  it('is refused with what a pod cannot do, each with its remedy', async () => {
    const more = {
      hostSelector: { matchLabels: { zone: 'eu' } },
      resources: { memory: '1Gi', slots: 2 },
      dataAccess: 'bulk',
      keepWorkspace: true,
    }
    const refused = await ada('POST', '/api/v1/agents', { name: 'bad', spec: { ...spec({ command: ['x'] }), ...more } })
    expect(refused.body.error.code).toBe('validation_failed')
    expect(JSON.stringify(refused.body)).toMatch(/hostSelector.*memory.*slots.*dataAccess.*keepWorkspace/)
    expect(JSON.stringify(refused.body)).toContain('runtime.pod.nodeSelector')
    const bare = await ada('POST', '/api/v1/agents', { name: 'bad', spec: spec({}) })
    expect(JSON.stringify(bare.body)).toContain('with mode: perTask the command has to be said')
  })
})
