import { createRequire } from 'node:module'

type StringWidth = typeof import('string-width')['default']

let measure: StringWidth | undefined

/**
 * Places a text takes on a terminal: East Asian characters and emoji take two. The library that knows them takes as long to
 * load as everything else a `get` does, so plain ASCII, which is nearly all there is, does without it.
 */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e…]*$/.test(text)) return text.length
  measure ??= (createRequire(import.meta.url)('string-width') as { default: StringWidth }).default
  return measure(text)
}

/** The text with blanks behind it, up to a width. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** The beginning of a text that fits, with `…` for the rest. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (displayWidth(kept + segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}
