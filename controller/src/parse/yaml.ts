import { loadAll, YAMLException } from 'js-yaml'
import type { ParseIssueCode } from '../lib/issue-catalogue.ts'
import type { ParseLimits } from './limits.ts'

/** One YAML document of a file. */
export interface YamlDocument {
  /** Number in the file, from 0. */
  readonly index: number
  readonly value: unknown
}

/** A document that could not be read. Lines and columns count from 1. */
export interface YamlProblem {
  readonly code: ParseIssueCode
  readonly message: string
  readonly hint: string
  readonly line: number
  readonly column: number
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[]
  readonly problems: readonly YamlProblem[]
}

/**
 * Reads all documents of a file with js-yaml's core schema (YAML 1.2: `yes` and dates stay text), the one parser that decides.
 * When one document is broken, the others of the file are still read: a line that starts with `---` always starts a
 * document, whatever stands before it.
 */
export function readYaml(text: string, limits: ParseLimits): YamlFile {
  try {
    return { documents: loadAll(text, options(limits)).map((value, index) => ({ index, value })), problems: [] }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return readDocumentByDocument(text, limits)
  }
}

function readDocumentByDocument(text: string, limits: ParseLimits): YamlFile {
  const documents: YamlDocument[] = []
  const problems: YamlProblem[] = []
  let index = 0
  for (const chunk of splitDocuments(text)) {
    try {
      for (const value of loadAll(chunk.text, options(limits))) documents.push({ index: index++, value })
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error
      problems.push(problemOf(error, chunk.firstLine))
      index++
    }
  }
  return { documents, problems }
}

function options(limits: ParseLimits) {
  return { maxDepth: limits.maxDepth, maxAliases: limits.maxAliases }
}

/**
 * Pieces of a file, each starting at a `---` line (or at the top), with the number of its first line (from 0). Each is a
 * document, as it is in the whole file; what stands before the first `---` and is no content (comments, directives) is none.
 */
export function splitDocuments(text: string): { text: string; firstLine: number }[] {
  const lines = text.split('\n')
  const starts = lines.flatMap((line, i) => (i === 0 || /^---(\s|$)/.test(line) ? [i] : []))
  return starts.flatMap((start, i) => {
    const piece = lines.slice(start, starts[i + 1] ?? lines.length)
    const empty = !lines[start]!.startsWith('---') && piece.every((line) => /^\s*(#|$)|^%/.test(line))
    return empty ? [] : [{ text: piece.join('\n'), firstLine: start }]
  })
}

function problemOf(error: YAMLException, firstLine: number): YamlProblem {
  const line = (error.mark?.line ?? 0) + firstLine + 1
  const column = (error.mark?.column ?? 0) + 1
  const reason = error.reason ?? error.message
  // js-yaml has no error codes; its reason is a closed set of phrases that golden files pin.
  if (reason.includes('duplicated mapping key')) {
    return {
      code: 'SW_DUPLICATE_KEY',
      message: 'this key stands twice in one map',
      hint: 'keep one of them',
      line,
      column,
    }
  }
  if (reason.includes('alias')) {
    return {
      code: 'SW_YAML_ALIASES',
      message: reason,
      hint: 'write the value out, or define its anchor first',
      line,
      column,
    }
  }
  if (reason.includes('tag')) {
    return {
      code: 'SW_YAML_TAG',
      message: reason,
      hint: 'manifests are JSON in YAML: remove the tag, quote the text',
      line,
      column,
    }
  }
  if (reason.includes('depth') || reason.includes('nesting')) {
    return { code: 'SW_DOCUMENT_TOO_LARGE', message: reason, hint: 'flatten the document', line, column }
  }
  return {
    code: 'SW_YAML_SYNTAX',
    message: reason,
    hint: 'check the indentation, quotes and brackets at this place',
    line,
    column,
  }
}
