import { afterEach, describe, expect, it } from 'vitest'
import { git, tipOf } from '../support/git-remote.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

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

const PROJECT = `# What keeps the machines alive.
apiVersion: stateward.dev/v1alpha1
kind: Project
metadata: { name: platform }
spec:
  description: Platform # short
  lifecyclePhase: active # since spring
`

describe('the life of a project', () => {
  it('goes on by a commit that changes one word, proposed and then merged', async () => {
    const here = await started({ 'projects/platform.yaml': PROJECT })
    const main = tipOf(here.repo, 'refs/heads/main')
    const seq = await here.logSeq()
    const paused = await here.ask('PATCH', '/projects/platform', { lifecycle_phase: 'paused', reason: 'winter' })
    expect(paused).toMatchObject({
      status: 202,
      body: {
        branch: 'proposals/set-lifecyclephase-project-platform',
        merged: false,
        lifecycle_phase: 'paused',
        project: { lifecycle_phase: 'active' },
      },
    })
    const branch = String(paused.body['branch'])
    expect(tipOf(here.repo, 'refs/heads/main')).toBe(main)
    expect(git(here.repo, ['rev-parse', branch])).toBe(paused.body['commit'])
    expect(git(here.repo, ['diff', '-U0', 'main', branch])).toContain(
      '-  lifecyclePhase: active # since spring\n+  lifecyclePhase: paused # since spring',
    )
    expect(git(here.repo, ['log', '-1', '--format=%B', branch])).toContain('winter')
    expect(await here.events(seq)).toContainEqual(
      expect.objectContaining({
        event_name: 'stateward.proposal.opened',
        data: expect.objectContaining({ kind: 'Project', name: 'platform', commit: paused.body['commit'] }),
      }),
    )

    const merged = await here.ask('PATCH', '/api/v1/projects/platform', { lifecycle_phase: 'complete', merge: true })
    expect(merged).toMatchObject({ status: 202, body: { branch: null, merged: true } })
    expect(tipOf(here.repo, 'refs/heads/main')).toBe(merged.body['commit'])
    await here.apply({ 'note.txt': 'anything' })
    const { body } = await here.ask('GET', '/api/v1/projects/platform')
    expect(body).toMatchObject({ lifecycle_phase: 'complete', description: 'Platform', work: { open: 0 } })
    const ended = await here.ask('PATCH', '/projects/platform', { lifecycle_phase: 'active' })
    expect([ended.status, (ended.body['error'] as { message: string }).message]).toEqual([
      409,
      'project platform cannot go there: complete is where it ends',
    ])
  })

  it('is refused for what it does not know, and counts the work', async () => {
    const here = await started({ 'projects/platform.yaml': PROJECT })
    expect((await here.ask('PATCH', '/projects/nothing', { lifecycle_phase: 'paused' })).status).toBe(404)
    expect((await here.ask('PATCH', '/projects/platform', { lifecycle_phase: 'asleep' })).status).toBe(400)
    const ticket = { title: 'Alerts come twice', project: 'platform' }
    expect((await here.ask('POST', '/api/v1/tickets', ticket)).status).toBe(201)
    const { body } = await here.ask('GET', '/projects')
    expect(body['items']).toMatchObject([{ name: 'platform', work: { open: 1, done: 0, dropped: 0 } }])
  })
})
