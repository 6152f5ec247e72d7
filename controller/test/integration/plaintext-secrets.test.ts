import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { FAKE_SECRETS, GITHUB_TOKEN } from '../support/fake-secrets.ts'
import { git } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const issuesOf = (here: Installation) =>
  (here.stateward.sync.state.sync?.issues ?? []).map(({ code, file, line, object }) => ({ code, file, line, object }))
const described = (name: string, description: string) => agent(name, { ...PER_TASK, description })

describe('a commit with a plaintext secret', () => {
  it('leaves the object of that document as it was and applies the rest, until the secret is gone', async () => {
    const here = await started({ 'a.yaml': described('a', 'old'), 'b.yaml': described('b', 'old') })
    await here.apply({ 'a.yaml': described('a', GITHUB_TOKEN), 'b.yaml': described('b', 'new') })
    expect(here.stateward.sync.state.sync?.outcome).toBe('partial')
    expect(here.object('Agent/default/a').spec['description']).toBe('old')
    expect(here.object('Agent/default/b').spec['description']).toBe('new')
    const refused = [
      { code: 'SW_PLAINTEXT_SECRET', file: 'a.yaml', line: expect.any(Number), object: 'Agent/default/a' },
    ]
    expect(issuesOf(here)).toEqual(refused)
    expect(JSON.stringify(await here.events(0))).not.toContain(GITHUB_TOKEN)

    await here.stop()
    await here.start()
    expect(issuesOf(here)).toEqual(refused)
    await here.apply({ 'a.yaml': described('a', 'clean') })
    expect(here.object('Agent/default/a').spec['description']).toBe('clean')
    expect(issuesOf(here)).toEqual([])
  })

  it('names a file that is no manifest, blocks the agent that runs it, and remembers across a restart', async () => {
    const worker = (description: string) =>
      agent('w', { description, runtime: { process: { ...PER_TASK.runtime.process, workdir: 'code' } } })
    const here = await started({ 'w.yaml': worker('old'), 'code/main.js': '// nothing\n', 'README.md': 'hello\n' })
    await here.apply({ 'w.yaml': worker('new'), 'code/main.js': `\nconst t = '${GITHUB_TOKEN}'\n`, 'notes/x': 'y' })
    expect(here.object('Agent/default/w').spec['description']).toBe('old')
    const named = { code: 'SW_PLAINTEXT_SECRET', file: 'code/main.js', line: 2, object: undefined }
    expect(issuesOf(here)).toContainEqual(named)

    await here.stop()
    here.push({ 'other.txt': FAKE_SECRETS[1]![1] })
    await here.start()
    await until('the commit', () => issuesOf(here).some(({ file }) => file === 'other.txt'))
    expect(issuesOf(here)).toContainEqual(named)
    await here.apply({ 'code/main.js': '// clean\n', 'other.txt': null })
    expect(here.object('Agent/default/w').spec['description']).toBe('new')
    expect(here.stateward.sync.state.sync?.outcome).toBe('applied')
  })
})

describe('a proposal with a plaintext secret', () => {
  it('is refused with file and line, whatever opens it, and nothing of it is kept', async () => {
    const here = await started({ 'a.yaml': described('a', 'old') })
    const files = { 'a.yaml': described('a', 'new'), 'docs/how.md': `# How\n\ntoken: ${GITHUB_TOKEN}\n` }
    const refused = await here.post('/api/v1/proposals', { title: 'More', files })
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'plaintext_secret' } } })
    expect(JSON.stringify(refused.body)).toContain('docs/how.md:3:8')
    const manifest = await here.post('/api/v1/proposals', {
      title: 'More',
      files: { 'a.yaml': described('a', `use ${GITHUB_TOKEN}`) },
    })
    expect(manifest.status).toBe(422)
    expect(JSON.stringify(manifest.body)).toMatch(/a\.yaml:\d+:\d+/)
    for (const { body } of [refused, manifest]) expect(JSON.stringify(body)).not.toContain(GITHUB_TOKEN)
    expect((await here.ask('GET', '/api/v1/proposals')).body['items']).toEqual([])
    expect(git(here.repo, ['for-each-ref', '--format=%(refname)', 'refs/heads/proposals'])).toBe('')
    expect(JSON.stringify(await here.events(0))).not.toContain(GITHUB_TOKEN)
  })
})
