import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { git, serveHttp, tipOf } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const REF = 'refs/stateward/freeze'
let keys: string
const keyOf = (name: string) => join(keys, name)
const publicKeyOf = (name: string) => readFileSync(`${keyOf(name)}.pub`, 'utf8').trim()
beforeAll(() => {
  keys = mkdtempSync(join(tmpdir(), 'stateward-freeze-'))
  for (const name of ['gova', 'adam', 'vera', 'eve'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyOf(name)])
})
afterAll(() => rmSync(keys, { recursive: true, force: true }))

const open: Installation[] = []
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})
const person = (name: string, role: string) =>
  manifest('Principal', name, { emails: [`${name}@example.org`], signingKeys: [publicKeyOf(name)], roles: [role] })
async function started(): Promise<Installation> {
  const installation = await createInstallation({
    'a.yaml': agent('a', PER_TASK),
    'people/gova.yaml': person('gova', 'governor'),
    'people/adam.yaml': person('adam', 'admin'),
    'people/vera.yaml': person('vera', 'viewer'),
  })
  open.push(installation)
  await installation.start()
  return installation
}

/** What an operator types, with git alone. */
function push(here: Installation, who: string | null, message: string): string {
  const tree = git(here.repo, ['mktree'])
  const signing = who === null ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${keyOf(who)}`]
  const commit = git(here.repo, [
    ...signing,
    ...['-c', 'user.name=x', '-c', 'user.email=x@example.org'],
    ...['commit-tree', ...(who === null ? [] : ['-S']), '-m', message, tree],
  ])
  git(here.repo, ['update-ref', REF, commit])
  return commit
}
const fleet = async (here: Installation) => (await here.ask('GET', '/api/v1/fleet')).body
const untilFleet = (here: Installation, frozen: boolean) =>
  until(`frozen=${frozen}`, async () => {
    const now = await fleet(here)
    return now['frozen'] === frozen ? now : null
  })
const untilTip = (here: Installation, holds: (tip: string | null) => boolean) =>
  until('the ref', () => (holds(tipOf(here.repo, REF)) ? { tip: tipOf(here.repo, REF) } : null))
const names = async (here: Installation) =>
  (await here.events()).map(({ event_name }) => event_name).filter((name) => name.startsWith('stateward.fleet.'))

describe('a freeze of the API', () => {
  it('is a signed ref, too, for as long as it holds', async () => {
    const here = await started()
    await here.post('/api/v1/fleet/freeze', { reason: 'runaway agents' })
    const { tip } = await untilTip(here, (each) => each !== null)
    const message = git(here.repo, ['log', '-1', '--format=%B', tip!])
    expect(message).toContain('runaway agents')
    expect(message).toContain('Stateward-Freeze: all')
    expect(message).toContain('Stateward-Actor: user:ada')
    expect(JSON.parse(git(here.repo, ['show', `${tip}:freeze.json`]))).toMatchObject({
      scope: 'all',
      by: 'user:ada',
      reason: 'runaway agents',
    })
    expect(git(here.repo, ['cat-file', 'commit', tip!])).toContain('BEGIN SSH SIGNATURE')
    await until('its commit to be known', async () => (await fleet(here))['commit'] === tip)

    // Who takes the ref away has lifted nothing.
    git(here.repo, ['update-ref', '-d', REF])
    await untilTip(here, (each) => each !== null)
    expect(await fleet(here)).toMatchObject({ frozen: true })

    await here.post('/api/v1/fleet/unfreeze', {})
    await untilTip(here, (each) => each === null)
    expect(await names(here)).toEqual(['stateward.fleet.frozen', 'stateward.fleet.unfrozen'])
  })

  it('holds by its ref when the database does not know it', async () => {
    const here = await started()
    await here.post('/api/v1/fleet/freeze', { reason: 'first' })
    const { tip } = await untilTip(here, (each) => each !== null)
    await until('its commit to be known', async () => (await fleet(here))['commit'] === tip)
    await here.stop()
    await here.sql`DELETE FROM freezes`
    await here.start()
    expect(await untilFleet(here, true)).toMatchObject({ by: 'user:ada', reason: 'first', commit: tip })
  })
})

describe('the ref in a repository that is kept elsewhere', () => {
  it('is written and taken away there, and heard of with the next poll', async () => {
    const here = await createInstallation({
      'a.yaml': agent('a', PER_TASK),
      'people/gova.yaml': person('gova', 'governor'),
    })
    open.push(here)
    const remote = await serveHttp(dirname(here.repo))
    try {
      await here.start({ repo: remote.url(basename(here.repo)), interval: '1s' })
      await here.post('/api/v1/fleet/freeze', { reason: 'runaway agents' })
      const { tip } = await untilTip(here, (each) => each !== null)
      expect(git(here.repo, ['log', '-1', '--format=%B', tip!])).toContain('Stateward-Actor: user:ada')
      await until('its commit to be known', async () => (await fleet(here))['commit'] === tip)
      git(here.repo, ['update-ref', '-d', REF])
      await untilTip(here, (each) => each !== null)
      await here.post('/api/v1/fleet/unfreeze', {})
      await untilTip(here, (each) => each === null)

      const commit = push(here, 'gova', 'they order pizza')
      expect(await untilFleet(here, true)).toMatchObject({ by: 'user:gova', commit })
      await here.post('/api/v1/fleet/unfreeze', {})
      await untilTip(here, (each) => each === null)
      expect(await fleet(here)).toMatchObject({ frozen: false })
      push(here, null, 'not signed')
      await untilTip(here, (each) => each === null)
      // The ref is taken away first.
      await until('it to be told', async () => (await names(here)).at(-1) === 'stateward.fleet.freeze.refused')
      await here.stop()
    } finally {
      await remote.close()
    }
  })
})

describe('a commit that is pushed to the ref', () => {
  it('freezes when somebody who may has signed it, and is lifted by somebody who may', async () => {
    const here = await started()
    const commit = push(here, 'gova', 'they order pizza')
    expect(await untilFleet(here, true)).toMatchObject({ by: 'user:gova', reason: 'they order pizza', commit })
    await here.untilCondition('Agent/default/a', 'Suspended', 'True')
    // A governor may stop, and may not let go on.
    const refused = push(here, 'gova', 'never mind\n\nStateward-Freeze: lift')
    await untilTip(here, (tip) => tip !== null && tip !== refused)
    expect(await fleet(here)).toMatchObject({ frozen: true })
    push(here, 'adam', 'found it\n\nStateward-Freeze: lift')
    await untilFleet(here, false)
    await untilTip(here, (tip) => tip === null)
    const events = (await here.events()).filter(({ event_name }) => event_name.startsWith('stateward.fleet.'))
    expect(events.map(({ event_name, actor }) => `${event_name.slice(16)} ${actor}`)).toEqual([
      'frozen user:gova',
      'freeze.refused system:controller',
      'unfrozen user:adam',
    ])
  })

  it('is refused, told and taken away when nobody who may has signed it', async () => {
    const here = await started()
    for (const who of ['vera', 'eve', null]) {
      push(here, who, 'stop')
      await untilTip(here, (tip) => tip === null)
    }
    push(here, 'gova', 'only this\n\nStateward-Freeze: project/web')
    await untilTip(here, (tip) => tip === null)
    expect(await fleet(here)).toMatchObject({ frozen: false })
    expect(await names(here)).toEqual(Array(4).fill('stateward.fleet.freeze.refused'))
  })
})
