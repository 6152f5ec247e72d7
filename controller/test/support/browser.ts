import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { until } from './agent-fleet.ts'
import { requires } from './requires.ts'

/** The browser of this machine, driven as a person would, with an eye on everything the page does. */

export interface Look {
  readonly theme: 'light' | 'dark'
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
}

/** What a page did that somebody may want to know. */
export interface Seen {
  /** `GET http://127.0.0.1:8088/ui/`. */
  readonly requests: string[]
  /** Violations of the content security policy, errors that nobody caught, and errors on the console. */
  readonly faults: string[]
}

export interface AxeFinding {
  readonly id: string
  readonly impact: string | null
  readonly help: string
  /** Where, as selectors. */
  readonly at: readonly string[]
}

export async function launchBrowser(): Promise<Browser> {
  const { available, reason } = requires('chromium')
  if (!available) throw new Error(reason)
  const { stdout } = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' })
  return chromium.launch({
    executablePath: stdout.trim(),
    // Root has no sandbox of its own; containers have little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none', '--js-flags=--expose-gc'],
  })
}

/** A window of its own, with its own cookies and storage. Everything it asks for is in `seen`. */
export async function openWindow(
  browser: Browser,
  { theme, width, height }: Look,
): Promise<{ readonly context: BrowserContext; readonly page: Page; readonly seen: Seen }> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height },
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  // Machines that do much else are slow.
  context.setDefaultTimeout(120_000)
  const seen: Seen = { requests: [], faults: [] }
  context.on('request', (request) => seen.requests.push(`${request.method()} ${request.url()}`))
  await context.addInitScript({ content: `${REPORT_VIOLATIONS};${SUM_SHIFTS}` })
  const page = await context.newPage()
  page.on('pageerror', (error) => seen.faults.push(`uncaught: ${error.message}`))
  page.on('console', (message) => {
    // What the network did is in `requests`; a server that restarts is no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      seen.faults.push(message.text())
    }
  })
  return { context, page, seen }
}

/** Waits until a page has its title and nothing on it stands for something that is still to come. */
export async function settled(page: Page): Promise<void> {
  // Not `waitForFunction`: the policy of the page forbids what that does.
  await until('the page to settle', () => page.evaluate(IS_SETTLED), 60_000)
}

/** How much of what a window showed has moved without anybody having asked for it, as browsers sum it up (0.1 is good). */
export async function layoutShift(page: Page): Promise<number> {
  return (await page.evaluate('window.layoutShift')) as number
}

const axe = (() => {
  let source: string | null = null
  return () => (source ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
})()

/** What axe finds on a page, of these impacts: WCAG up to 2.2 AA, and what it holds to be good practice. */
export async function axeFindings(
  page: Page,
  impacts: readonly string[] = ['serious', 'critical'],
): Promise<AxeFinding[]> {
  await page.evaluate(axe())
  const violations = (await page.evaluate(RUN_AXE)) as AxeFinding[]
  return violations.filter(({ impact }) => impacts.includes(impact ?? ''))
}

// In the browser's own words: the types of its globals are not those of this program.
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('policy: ' + [event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber].join(' '))
})`
const SUM_SHIFTS = `window.layoutShift = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value
}).observe({ type: 'layout-shift', buffered: true })`
const IS_SETTLED = `document.querySelector('h1') !== null &&
  document.querySelector('[data-testid="loading"], main [aria-busy="true"]') === null`
const RUN_AXE = `axe.run(document, { resultTypes: ['violations'], preload: false }).then(({ violations }) =>
  violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help,
    at: nodes.slice(0, 5).map((node) => node.target.join(' ') + ': ' + (node.failureSummary ?? '')),
  })))`
