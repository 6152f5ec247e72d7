import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { axeFindings, launchBrowser, layoutShift, openWindow, type Seen, settled } from '../support/browser.ts'
import { pagePaths } from '../support/page-paths.ts'
import { joinDatabase, seedCosts, seedEvents, seedRuns } from '../support/page-seeds.ts'
import { createHome, type Home, type Server } from '../support/stateward-process.ts'

/** The page at `/ui/` in a real browser, on one server whose fleet runs. Each test leaves the server as the next one needs it. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Looked at by people; ignored by git. */
const PICTURES = join(ROOT, 'coverage/pictures')
const RUNS = 10_000
const EVENTS = 100_000
/** Would tell in three ways if it were taken for markup. */
const MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><b>bold</b>'
const DESK = { width: 1280, height: 800 } as const
const PHONE = { width: 390, height: 844 } as const

let home: Home
let server: Server
let browser: Browser
/** Holds the administrator's credential, as a browser that was signed in. */
let page: Page
let seen: Seen
let token: string
let waiting: string
let paths: string[]

/** Machines that do much else are slow. */
const soon = <T>(what: string, probe: () => Promise<T | null | undefined | false> | T | null | undefined | false) =>
  until(what, probe, 90_000)
const url = (path: string) => `http://127.0.0.1:${home.port}/ui${path}`
const api = async (path: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': 'ada' }
  const response = await fetch(`http://127.0.0.1:${home.port}${path}`, { ...init, headers })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  return (await response.json()) as any
}
const post = (path: string, body: object) => api(path, { method: 'POST', body: JSON.stringify(body) })
const open = async (path: string) => {
  await page.goto(url(path))
  await settled(page)
}
const text = () => page.locator('main').innerText()

/** How far a page that was just opened moved while it loaded. What happens in the fleet meanwhile may move it once, not always. */
async function shiftOf(path: string): Promise<number> {
  let least = await layoutShift(page)
  for (let again = 0; least >= 0.02 && again < 2; again++) {
    await open(path)
    least = Math.min(least, await layoutShift(page))
  }
  return least
}

/** The names of the runs that wait at a gate, the longest waiting first. */
async function waitingRuns(): Promise<string[]> {
  const { items } = await api('/api/v1/gates?state=waiting&order=asc')
  return items.map(({ run }: { run: string }) => run)
}

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'ui/build.ts')])
  rmSync(PICTURES, { recursive: true, force: true })
  mkdirSync(PICTURES, { recursive: true })
  home = await createHome()
  ;[server, browser] = await Promise.all([home.serve(['up']), launchBrowser()])
  token = readFileSync(join(home.dataDir, 'credentials/admin'), 'utf8').trim()
  const alert = (host: string) =>
    post('/api/v1/events', { event_name: 'checkmk.alert', data: { host, service: 'nginx', state: MARKUP } })
  await Promise.all([alert('web-1'), alert('web-2')])
  await soon('two runs to wait', async () => (await waitingRuns()).length === 2)
  waiting = (await waitingRuns())[0]!
  const sre = readFileSync(join(ROOT, 'state-repo/agents/sre.yaml'), 'utf8')
  const [message, proposal, artifact, alerted] = await Promise.all([
    post('/api/v1/messages', { to: { agent: 'openai' }, subject: MARKUP, body: MARKUP, data: { note: MARKUP } }),
    post('/api/v1/proposals', {
      ...{ title: MARKUP, description: MARKUP },
      files: { 'docs/notes.md': `${MARKUP}\n`, 'agents/sre.yaml': sre.replace(/^ {2}replicas: 1$/m, '  replicas: 2') },
    }),
    post('/api/v1/artifacts', {
      ...{ name: 'note.html', kind: 'report', content_type: 'text/html' },
      content_base64: Buffer.from(MARKUP).toString('base64'),
    }),
    post('/api/v1/alerts', { title: MARKUP, message: MARKUP, severity: 'critical' }),
    post('/api/v1/agents/scribe/pause', { reason: MARKUP }),
  ])
  const { event_id: event } = await post('/api/v1/events', { event_name: 'shop.note.written', data: { note: MARKUP } })
  const store = await joinDatabase(home.dataDir)
  try {
    const { run_id: template } = await api(`/api/v1/runs/${waiting}`)
    await seedRuns(store, template, RUNS)
    await seedEvents(store, EVENTS)
    await seedCosts(store)
  } finally {
    await store.end()
  }
  const [run, sync] = await Promise.all([api(`/api/v1/runs/${waiting}`), api('/api/v1/sources/state/syncs?limit=1')])
  const commit = sync.items[0].to_revision
  paths = pagePaths({
    ...{ namespace: 'default', name: 'sre', kind: 'Agent', host: 'local', step: 'approve', thread: message.thread_id },
    ...{ run: run.run_id, 'runs.id': run.run_id, 'policies.name': 'remote-commands', 'proposals.id': proposal.id },
    ...{ event, 'events.id': event, artifact: artifact.artifact_id, 'artifacts.id': artifact.artifact_id },
    ...{ commit, revision: commit, alert: alerted.id },
  })
  paths.push(...['log', 'values', 'events'].map((tab) => `/runs/${run.run_id}?tab=${tab}`))
  ;({ page, seen } = await openWindow(browser, { theme: 'light', ...DESK }))
  await page.context().setExtraHTTPHeaders({ authorization: `Bearer ${token}` })
})
afterAll(async () => {
  await browser?.close()
  await home?.end()
})

describe('the page', () => {
  it('is where / leads, and its first look is small', async () => {
    const sizes: number[] = []
    const { context, page: first } = await openWindow(browser, { theme: 'light', ...DESK })
    first.on('response', async (response) => {
      if (response.request().resourceType() === 'script')
        sizes.push((await response.request().sizes()).responseBodySize)
    })
    await first.goto(`http://127.0.0.1:${home.port}/`)
    await settled(first)
    expect(first.url()).toBe(url('/'))
    // Two gates and two proposals wait.
    expect(await first.title()).toBe('(4) Overview · Stateward')
    const answers = await first.getByTestId('verdict').innerText()
    for (const word of ['4 things', '2 gates, 2 proposals', 'critical alert', 'this month'])
      expect(answers).toContain(word)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    expect([sizes.length > 0, total < 250_000]).toEqual([true, true])
    await context.close()
  })

  it('shows every page whole, in order and without a fault, in both themes, wide and narrow', async () => {
    for (const path of paths) {
      const name = path === '/' ? 'overview' : path.slice(1).replaceAll(/[^\w-]+/g, '_')
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
      await page.setViewportSize(DESK)
      await open(path)
      expect([path, await page.getByTestId('failure').allInnerTexts()]).toEqual([path, []])
      expect([path, await shiftOf(path)]).toEqual([path, expect.toSatisfy((shift: number) => shift < 0.02)])
      for (const theme of ['light', 'dark'] as const) {
        await page.setViewportSize(DESK)
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
        await page.screenshot({ path: join(PICTURES, `${name}-${theme}-1280.png`) })
        expect([path, theme, await axeFindings(page)]).toEqual([path, theme, []])
        await page.setViewportSize(PHONE)
        await page.screenshot({ path: join(PICTURES, `${name}-${theme}-390.png`) })
      }
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      expect([path, overflow]).toEqual([path, expect.toSatisfy((pixels: number) => pixels <= 0)])
      // What was stored as markup is text: it made no element, and ran nothing.
      const made = await page.locator('main b, main img').count()
      expect([path, await page.evaluate('window.pwned'), made]).toEqual([path, undefined, 0])
    }
    expect(seen.faults).toEqual([])
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await page.setViewportSize(DESK)
  }, 600_000)

  it.each(['/messages', '/proposals', '/interventions', '/approvals'])(
    'shows stored markup as what it is: %s',
    async (path) => {
      await open(path)
      expect(await text()).toContain(path === '/approvals' ? 'approve' : MARKUP)
    },
  )

  it('is gone through with the keyboard alone', async () => {
    await page.setViewportSize(DESK)
    await open('/')
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await soon('the agents', () => page.url() === url('/agents'))
    await settled(page)
    await page.keyboard.press('/')
    await page.keyboard.type('sre')
    await soon('one agent', async () => (await page.getByTestId('agents-row').count()) === 1)
    expect(page.url()).toBe(url('/agents?q=sre'))
    await page.getByTestId('agents').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await soon('the agent', () => page.url() === url('/agents/default/sre'))
    await page.keyboard.press('Control+k')
    await page.getByTestId('palette-input').waitFor()
    await page.keyboard.type('cost')
    await page.keyboard.press('Enter')
    await soon('the costs', () => page.url() === url('/costs'))
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  it('says costs as a picture and as a table, and copies commands as they stand', async () => {
    await open('/costs')
    await page.getByTestId('cost-chart').focus()
    await page.keyboard.press('End')
    expect(await page.getByTestId('cost-by-day').innerText()).toContain(new Date().toISOString().slice(0, 10))
    await page.getByTestId('cost-group-agent').click()
    await page.getByTestId('cost-view').click()
    await settled(page)
    expect(page.url()).toBe(url('/costs?by=agent&view=table'))
    expect(await page.getByTestId('cost-table').innerText()).toMatch(/docs-reviewer.*All days/s)
    await open('/approvals')
    await page.getByTestId('gate-approve-copy').first().click()
    const copied = await page.evaluate('navigator.clipboard.readText()')
    expect(copied).toBe(`stateward approve ${waiting} approve --reason 'looks right'`)
  })

  it('computes the chain of the log again, and has all of it verified for who may', async () => {
    await open('/audit')
    const chain = page.getByTestId('audit-chain')
    await soon('the chain', async () => (await chain.innerText()).includes('unbroken'))
    await page.getByTestId('audit-verify').click()
    await soon('the verdict', async () =>
      (await page.getByTestId('audit-outcome').innerText()).includes('as it was written'),
    )
    const { context, page: other, seen: theirs } = await openWindow(browser, { theme: 'light', ...DESK })
    await other.goto(url('/audit'))
    await settled(other)
    await other.getByTestId('audit-verify').click()
    await soon('the refusal', async () =>
      (await other.getByTestId('audit-outcome').innerText()).includes('stateward ui'),
    )
    await other.goto(url('/messages'))
    await soon('the refusal', async () => (await other.locator('main').innerText()).includes('stateward messages'))
    expect(theirs.faults).toEqual([])
    await context.close()
  })
})

describe('much of it', () => {
  /** How many rows a table has in the document, of how many it knows. */
  const rowsOf = async (table: string) => ({
    shown: await page.getByTestId(`${table}-row`).count(),
    known: Number(await page.getByTestId(table).getAttribute('aria-rowcount')),
  })

  it('is read as far as somebody goes: 10,000 runs', async () => {
    await open('/runs')
    await page.getByTestId('runs').focus()
    await soon('more of them', async () => {
      await page.keyboard.press('End')
      return (await rowsOf('runs')).known > 500
    })
    expect((await rowsOf('runs')).shown).toBeLessThan(100)
    await soon('how many there are', async () => (await page.getByTestId('runs-view-all').innerText()).includes('10K'))
    await page.getByTestId('runs-view-failed').click()
    await settled(page)
    expect(await page.getByTestId('runs-row').first().innerText()).toContain('failed')
  })

  it('is read as far as somebody goes: 100,000 events', async () => {
    await open('/events')
    expect((await rowsOf('events')).shown).toBeLessThan(150)
    await soon('the newest', async () => (await page.getByTestId('events-row').first().innerText()).trim() !== '')
    await page.getByTestId('events').focus()
    await page.keyboard.press('End')
    await soon('the oldest', async () => {
      const last = page.locator(`[aria-rowindex="${(await rowsOf('events')).known}"]`)
      return (await last.count()) === 1 && (await last.innerText()).trim() !== ''
    })
    expect((await rowsOf('events')).known).toBeGreaterThan(EVENTS)
    expect((await rowsOf('events')).shown).toBeLessThan(150)
    expect(seen.faults).toEqual([])
  })
})

describe('what happens', () => {
  it('shows by itself in every tab: a gate is decided, and its run completes', async () => {
    await open('/approvals')
    await soon('two that wait', async () => (await page.getByTestId('gate').count()) === 2)
    // The browser has one stream of events, whatever the number of tabs.
    const beside = await page.context().newPage()
    await beside.goto(url(`/runs/${waiting}`))
    await settled(beside)
    expect(await beside.locator('h1').innerText()).toBe(waiting)
    const header = beside.locator('main header').first()
    expect(await header.innerText()).not.toContain('completed')
    await home.ok(['approve', waiting, 'approve', '--reason', MARKUP])
    await soon('one that waits', async () => (await page.getByTestId('gate').count()) === 1)
    await soon('the decision', async () => (await page.getByTestId('gates-decided').innerText()).includes(MARKUP))
    await soon('the end of the run', async () => (await header.innerText()).includes('completed'))
    expect([await page.evaluate('window.pwned'), await beside.evaluate('window.pwned')]).toEqual([undefined, undefined])
    await beside.close()
  })

  it('shows by itself on the page of an alert: somebody looks after it', async () => {
    await open('/alerts')
    await page.getByTestId('alerts-row').filter({ hasText: 'critical' }).getByRole('link').click()
    await soon('the alert', async () => (await page.getByTestId('alert-message').innerText()).includes(MARKUP))
    const command = await page.getByTestId('alert-commands').getByRole('textbox').first().innerText()
    const [id] = /[0-9a-f-]{36}/.exec(command)!
    expect(command).toBe(`stateward alerts ack ${id} --note 'on it'`)
    await home.ok(['alerts', 'ack', id, '--note', MARKUP])
    await soon('who does', async () => (await page.getByTestId('alert-message').innerText()).split(MARKUP).length === 3)
    await soon('its history', async () => (await page.getByTestId('alert-events-row').count()) === 2)
    expect(await page.evaluate('window.pwned')).toBe(undefined)
  })

  it('is not lost when the controller is killed and starts again', async () => {
    await open('/approvals')
    const state = () => page.getByTestId('live').getAttribute('data-state')
    await soon('the stream', async () => (await state()) === 'live')
    await server.kill()
    await soon('it to be noticed', async () => (await state()) !== 'live')
    // What was there stays, with how old it is.
    expect(await page.getByTestId('gate').count()).toBe(1)
    expect(await page.getByTestId('failure').count()).toBe(0)
    server = await home.serve(['up'])
    await soon('the stream to be back', async () => (await state()) === 'live')
    const [last] = await waitingRuns()
    await home.ok(['reject', last!, 'approve', '--reason', 'not now'])
    await soon('nothing that waits', async () => (await page.getByTestId('gate').count()) === 0)
    expect(seen.faults).toEqual([])
  })
})

describe('the network', () => {
  it('saw nothing but reads, and nobody else', () => {
    expect(seen.requests.length).toBeGreaterThan(100)
    const ours = `GET http://127.0.0.1:${home.port}/`
    expect(seen.requests.filter((request) => !request.startsWith(ours))).toEqual([])
  })
})
