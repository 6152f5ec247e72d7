import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import type { SecretLintRuleContext, SecretLintSourceCode } from '@secretlint/types'
import { SHAPES } from './shapes.ts'

/** A secret in a text: `[from, to)` in UTF-16 units, and what it looks like. */
export interface FoundSecret {
  readonly from: number
  readonly to: number
  readonly what: string
}

/**
 * Secretlint's rules, driven without its engine: they are functions of a text, and a scan has to be pure. Left out: the
 * filter that lets a comment hide anything, and the rule that opens files by their path.
 */
const KEPT = rules.filter(({ meta }) => meta.type === 'scanner' && !/-(filter-comments|gcp)$/.test(meta.id))

/** Everything in a text that has the shape of a secret, in order; overlapping finds are one. */
export function findSecrets(path: string, text: string): FoundSecret[] {
  if (!mayHold(text)) return []
  const found = [...byShape(text), ...byRule(path, text)]
  found.sort((a, b) => a.from - b.from || b.to - a.to)
  const apart: FoundSecret[] = []
  for (const one of found) {
    const last = apart.at(-1)
    if (last !== undefined && one.from < last.to) apart[apart.length - 1] = { ...last, to: Math.max(last.to, one.to) }
    else apart.push(one)
  }
  return apart
}

/**
 * Every shape has a long run without white space that holds a digit, a password in a URL, or the head of a key. Most
 * manifests have neither: this answer costs a hundredth of the rules'.
 */
function mayHold(text: string): boolean {
  if (/-----BEGIN |:\/\/[^\s/@:]{0,256}:[^\s@]{1,256}@/.test(text)) return true
  for (const [run] of text.matchAll(/[\w+/=.:-]{20,}/g)) if (/[0-9]/.test(run)) return true
  return false
}

function byShape(text: string): FoundSecret[] {
  return SHAPES.flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].map((match) => {
      const from = match.index + (match[1] === undefined ? 0 : match[0].indexOf(match[1]))
      return { from, to: from + (match[1] ?? match[0]).length, what: name }
    }),
  )
}

function byRule(path: string, text: string): FoundSecret[] {
  const found: FoundSecret[] = []
  const source = sourceOf(path, text)
  for (const rule of KEPT) {
    const context: SecretLintRuleContext = {
      sharedOptions: {},
      // The message would hold the secret itself.
      createTranslator: () => (messageId) => ({ message: '', messageId: String(messageId), data: undefined }),
      report: ({ message, range }) => {
        found.push({ from: range[0], to: range[1], what: nameOf(message.messageId) })
      },
      ignore: () => {},
    }
    const pending = rule.create(context, {}).file?.(source)
    if (pending instanceof Promise) throw new TypeError(`${rule.meta.id} does not answer at once`)
  }
  return found
}

/** `GITHUB_TOKEN` → `github token`, `PostgreSQLConnection` → `PostgreSQL connection`. */
function nameOf(messageId: string): string {
  if (messageId === messageId.toUpperCase()) return messageId.toLowerCase().replaceAll('_', ' ')
  const [first = '', ...rest] = messageId.replace(/([A-Za-z])([A-Z][a-z])/g, '$1 $2').split(' ')
  return [first, ...rest.map((word) => word.toLowerCase())].join(' ')
}

function sourceOf(path: string, text: string): SecretLintSourceCode {
  const dot = path.lastIndexOf('.')
  return {
    hasBOM: false,
    content: text,
    filePath: path,
    physicalFilePath: undefined,
    contentType: 'text',
    ext: dot === -1 ? '' : path.slice(dot),
    getFilePath: () => path,
    getPhysicalFilePath: () => undefined,
    locationToRange: () => [0, 0],
    rangeToLocation: () => ({ start: { line: 1, column: 0 }, end: { line: 1, column: 0 } }),
    positionToIndex: () => 0,
    indexToPosition: (index) => {
      const before = text.slice(0, index).split('\n')
      return { line: before.length, column: before.at(-1)!.length }
    },
  }
}
