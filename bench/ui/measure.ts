import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { openWindow, settled } from '../../controller/test/support/browser.ts'

const LOOK = { theme: 'light', width: 1280, height: 800 } as const
/**
 * What the browser says of every key that was pressed: when, and how long it took from then to the next paint, in steps of 8 ms.
 * What took less than 16 ms it does not tell of. Nor does this of keys that are let go: nothing is painted for them, so that their next paint is whatever happens later.
 */
const WATCH = `window.presses = []
new PerformanceObserver((list) => {
  for (const { name, startTime, duration, interactionId } of list.getEntries())
    if (interactionId && name === 'keydown') window.presses.push({ startTime, duration })
}).observe({ type: 'event', durationThreshold: 0 })`

/** Bytes of JavaScript that the overview takes over the network, compressed. */
export async function firstLoad(browser: Browser, base: string): Promise<number> {
  const { context, page } = await openWindow(browser, LOOK)
  const sizes: Promise<number>[] = []
  page.on('response', (response) => {
    const request = response.request()
    if (request.resourceType() === 'script')
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
  })
  await page.goto(`${base}/ui/`)
  await settled(page)
  const all = await Promise.all(sizes)
  await context.close()
  return all.reduce((sum, size) => sum + size, 0)
}

/** Seconds from each key to the next paint, on the list of all runs. */
export async function interactions(
  browser: Browser,
  base: string,
  repetitions: number,
): Promise<Record<string, number[]>> {
  const { context, page } = await openWindow(browser, LOOK)
  await page.addInitScript({ content: WATCH })
  await page.goto(`${base}/ui/runs`)
  await settled(page)
  await allRead(page)
  const times: Record<string, number[]> = { arrow: [], page: [], end: [], filter: [] }
  const press = async (name: string, key: string): Promise<void> => {
    const from = (await page.evaluate('performance.now()')) as number
    await page.keyboard.press(key)
    // Entries come when the browser has time for them; that of an earlier key may come now, too.
    await delay(400)
    const presses = (await page.evaluate('window.presses')) as { startTime: number; duration: number }[]
    const durations = presses.filter(({ startTime }) => startTime >= from).map(({ duration }) => duration)
    times[name]!.push(Math.max(0, ...durations) / 1_000)
  }
  for (let repetition = 0; repetition < repetitions; repetition++) {
    await page.getByTestId('runs').focus()
    for (let i = 0; i < 10; i++) await press('arrow', 'ArrowDown')
    for (let i = 0; i < 10; i++) await press('page', 'PageDown')
    for (let i = 0; i < 3; i++) {
      await press('end', 'Home')
      await press('end', 'End')
    }
    await page.getByTestId('runs-search').focus()
    for (const letter of 'checkmk') await press('filter', letter)
    for (let i = 0; i < 7; i++) await press('filter', 'Backspace')
  }
  await context.close()
  return times
}

/** Goes to the end until nothing is read any more. */
async function allRead(page: Page): Promise<void> {
  await page.getByTestId('runs').focus()
  const count = () => page.getByTestId('runs').getAttribute('aria-rowcount')
  for (let before = ''; ; ) {
    await page.keyboard.press('End')
    await delay(1_500)
    const now = (await count()) ?? ''
    if (now === before) return
    before = now
  }
}

/** The JavaScript heap, each time after a collection, while events come: at the start and at the end. */
export async function memoryOverTime(
  browser: Browser,
  base: string,
  seconds: number,
  emit: () => Promise<void>,
): Promise<{ readonly start: number; readonly end: number }> {
  const { context, page } = await openWindow(browser, LOOK)
  const session = await context.newCDPSession(page)
  const heap = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    return usedSize
  }
  await page.goto(`${base}/ui/events`)
  await settled(page)
  const end = performance.now() + seconds * 1_000
  // What a page keeps at most is there after a while.
  for (let i = 0; i < 50; i++) {
    await emit()
    await delay(200)
  }
  const start = await heap()
  let last = start
  for (let said = performance.now(); performance.now() < end; ) {
    await emit()
    await delay(200)
    if (performance.now() - said < 30_000) continue
    said = performance.now()
    last = await heap()
    process.stdout.write(`heap ${(last / 1_000_000).toFixed(1)} MB\n`)
  }
  last = await heap()
  await context.close()
  return { start, end: last }
}
