import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation(null)
  await here.start()
  ada = asAda(here)
}, 60_000)
afterAll(() => here.end())

/** Has the agent do a task, in a process of its own, and answers with its output. */
async function taskOf(agent: string, inputs: object): Promise<Record<string, string>> {
  const { body } = await ada('POST', '/api/v1/tasks', { agent, prompt: 'Write it down', inputs })
  const task = await until('the end of the task', async () => {
    const found = (await ada('GET', `/api/v1/tasks/${body['task_id']}`)).body
    return ['completed', 'failed'].includes(String(found['status'])) ? found : null
  })
  expect(task).toMatchObject({ status: 'completed' })
  return task['output'] as Record<string, string>
}
const checked = (id: string) =>
  until('the checks', async () => {
    const { body } = await ada('GET', `/api/v1/proposals/${id}`)
    return body['checked_against'] === null ? null : body
  })

describe('an agent of the starter', () => {
  it('proposes a file over the bus, and a person merges it', async () => {
    const { proposal, branch } = await taskOf('scribe', { file: 'docs/runbook.md', text: '# Runbook' })
    expect(await checked(proposal!)).toMatchObject({
      state: 'open',
      author: 'agent:default/scribe',
      branch,
      files: ['docs/runbook.md'],
      checks: expect.arrayContaining([expect.objectContaining({ name: 'paths', state: 'passed' })]),
    })
    const trailers = git(here.repo, ['log', '-1', '--format=%an%n%(trailers)', branch!])
    expect(trailers).toMatch(/^agent:default\/scribe\n/)
    expect(trailers).toMatch(/Stateward-Agent: default\/scribe\nStateward-Correlation: \S+/)
    expect((await ada('POST', `/api/v1/proposals/${proposal}/merge`)).status).toBe(200)
    expect(git(here.repo, ['show', 'main:docs/runbook.md'])).toBe('# Runbook')
    expect(git(here.repo, ['log', '-1', '--format=%an', 'main'])).toBe('agent:default/scribe')
  })

  it('cannot land what it may not change, nor more tools for itself', async () => {
    const { proposal } = await taskOf('scribe', { file: 'agents/scribe.yaml', text: 'kind: Everything' })
    const failed = (await checked(proposal!))['checks'].filter(({ state }: { state: string }) => state === 'failed')
    expect(failed[0]).toMatchObject({ name: 'paths', problems: [{ file: 'agents/scribe.yaml' }] })
    const before = tipOf(here.repo, 'main')
    expect((await ada('POST', `/api/v1/proposals/${proposal}/merge`)).body.error.code).toBe('checks_failed')
    expect(tipOf(here.repo, 'main')).toBe(before)
  })
})

const PUSHES = `
set -e
git clone -q --single-branch "$STATEWARD_GIT_URL" "$STATEWARD_WORKSPACE/state"
cd "$STATEWARD_WORKSPACE/state"
git switch -q -c "agents/$STATEWARD_NAMESPACE/$STATEWARD_AGENT/notes"
mkdir -p docs && echo '# Notes' > docs/notes.md
git add -A && git commit -q -m 'Take notes'
git push -q origin HEAD
echo '{"pushed": true}'
`

describe('an agent with git', () => {
  it.runIf(existsSync('/usr/bin/git'))(
    'clones the state repo with its token, and pushes a branch of its own',
    async () => {
      await here.apply({
        'agents/noter.yaml': manifest('Agent', 'noter', {
          runtime: { process: { command: ['sh', '-c', PUSHES], mode: 'perTask' } },
        }),
      })
      await taskOf('noter', {})
      const { body } = await ada('GET', `/api/v1/proposals/${encodeURIComponent('agents/default/noter/notes')}`)
      expect(body).toMatchObject({ state: 'open', author: 'agent:default/noter', title: 'Take notes' })
      expect(git(here.repo, ['log', '-1', '--format=%an', body['head']])).toBe('agent:default/noter')
    },
  )
})
