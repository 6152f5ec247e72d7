import { readFileSync } from 'node:fs'

/** What the parts of paths stand for in an installation: `run` for `:run` below `/runs`, and so on. */
export type PathParts = Readonly<Record<string, string>>

/**
 * Paths of every page there is, as the page itself lists them, with their parts filled in. A part is looked for by its own
 * name below its first segment (`runs.id`), then by its name. Throws for one that nobody gave: a page that no test looks at.
 */
export function pagePaths(parts: PathParts): string[] {
  const source = readFileSync(new URL('../../../ui/src/pages.ts', import.meta.url), 'utf8')
  const patterns = [...source.matchAll(/\bpath: '(\/[^']*)'/g)].map(([, pattern]) => pattern!)
  return patterns.map((pattern) => {
    const [, first = ''] = pattern.split('/')
    return pattern.replaceAll(/[:*]\w*/g, (part) => {
      const name = part === '*' ? '*' : part.slice(1)
      const value = parts[`${first}.${name}`] ?? parts[name]
      if (value === undefined) throw new Error(`nothing is known to stand for ${part} of ${pattern}`)
      return encodeURIComponent(value)
    })
  })
}
