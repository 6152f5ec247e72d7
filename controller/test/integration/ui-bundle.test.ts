import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/lib/package-root.ts'

const ROOT = packageRoot()
const DIST = join(ROOT, 'ui', 'dist')
const SOURCES = join(ROOT, 'ui', 'src')
const FIRST_LOAD_BYTES = 250_000

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(ROOT, 'ui', 'build.ts')], { encoding: 'utf8' })
  expect([built.status, built.stderr]).toEqual([0, expect.not.stringContaining('rror')])
})

const scripts = (): string[] => readdirSync(join(DIST, 'assets')).filter((name) => name.endsWith('.js'))
const sources = (): string[] =>
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((path) => /(?<!\.test)\.tsx?$/.test(path))
const text = (name: string): string => readFileSync(join(DIST, 'assets', name), 'utf8')

/** Files a script brings with it before it does anything. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const [, other] of text(name).matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) withImports(other!, seen)
  return seen
}

describe('the page as it is built', () => {
  it('shows the overview after less than 250 KB of compressed scripts', () => {
    const index = readFileSync(join(DIST, 'index.html'), 'utf8')
    const [, entry] = /<script type="module"[^>]* src="\/ui\/assets\/([\w.-]+\.js)"/.exec(index)!
    const overview = scripts().find((name) => text(name).includes('Desired and applied'))!
    const first = withImports(overview, withImports(entry!))
    const bytes = [...first].reduce((sum, name) => sum + statSync(join(DIST, 'assets', `${name}.br`)).size, 0)
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES)
  })

  it('is compressed beside each file', () => {
    for (const name of scripts()) {
      const plain = statSync(join(DIST, 'assets', name)).size
      for (const ending of ['br', 'gz']) {
        const small = statSync(join(DIST, 'assets', `${name}.${ending}`)).size
        if (plain > 2_000) expect(small).toBeLessThan(plain)
      }
    }
  })

  it('has no method but GET, and no other way to send something', () => {
    for (const name of scripts()) {
      const code = text(name)
      // React has a table of its own in which the word stands for an attribute.
      const methods = [...code.matchAll(/\bmethod\s*:\s*["'`]([A-Za-z]+)["'`]/g)].map(([, method]) => method)
      expect([name, methods.filter((method) => method !== 'GET' && method !== 'method')]).toEqual([name, []])
      expect([name, /["'`](?:POST|PUT|PATCH|DELETE)["'`]/.exec(code)?.[0]]).toEqual([name, undefined])
      expect([name, /XMLHttpRequest|sendBeacon|new WebSocket|WebTransport|RTCPeerConnection/.exec(code)?.[0]]).toEqual([
        name,
        undefined,
      ])
    }
  })

  it('says GET wherever it asks', () => {
    const asking = sources().filter((path) => /(?<![.\w])fetch\(/.test(readFileSync(join(SOURCES, path), 'utf8')))
    expect(asking).toContain(join('api', 'get.ts'))
    for (const path of asking) {
      const code = readFileSync(join(SOURCES, path), 'utf8')
      const asks = [...code.matchAll(/(?<![.\w])fetch\(/g)]
      expect([path, [...code.matchAll(/method: 'GET'/g)].length]).toEqual([path, asks.length])
    }
  })

  it('asks no other server for anything', () => {
    const index = readFileSync(join(DIST, 'index.html'), 'utf8')
    expect(
      [...index.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at]) => at).filter((at) => !at!.startsWith('/ui/')),
    ).toEqual([])
    const styles = readdirSync(join(DIST, 'assets')).filter((name) => name.endsWith('.css'))
    for (const name of styles) expect([name, /url\(|@import/.exec(text(name))?.[0]]).toEqual([name, undefined])
  })

  it('puts no text into the document as markup', () => {
    for (const path of sources()) {
      const code = readFileSync(join(SOURCES, path), 'utf8')
      expect([path, /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write/.exec(code)?.[0]]).toEqual([
        path,
        undefined,
      ])
    }
  })
})
