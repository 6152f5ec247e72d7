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
      problems.push(problemOf(error, chunk))
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

const INDENTATION = 'check the indentation, quotes and brackets at this place and above it'

function problemOf(error: YAMLException, chunk: { readonly text: string; readonly firstLine: number }): YamlProblem {
  const conflict = /^(<{7}|>{7})( |$)/m.exec(chunk.text)
  if (conflict !== null) {
    const line = chunk.text.slice(0, conflict.index).split('\n').length + chunk.firstLine
    return {
      code: 'SW_YAML_SYNTAX',
      message: 'a merge conflict stands here',
      hint: 'resolve it and commit again',
      line,
      column: 1,
    }
  }
  const place = { line: (error.mark?.line ?? 0) + chunk.firstLine + 1, column: (error.mark?.column ?? 0) + 1 }
  // js-yaml has no error codes; its reason is a closed set of phrases that golden files pin.
  const reason = error.reason ?? error.message
  if (reason.includes('duplicated mapping key')) {
    return { code: 'SW_DUPLICATE_KEY', message: 'this key stands twice in one map', hint: 'keep one of them', ...place }
  }
  if (reason.includes('alias')) {
    const tooMany = /maxAliases \((\d+)\)/.exec(reason)
    return tooMany === null
      ? {
          code: 'SW_YAML_ALIASES',
          message: reason,
          hint: 'write the value out, or define its anchor before it in this document',
          ...place,
        }
      : {
          code: 'SW_YAML_ALIASES',
          message: `more than ${tooMany[1]} aliases`,
          hint: 'write values out, or split the file',
          ...place,
        }
  }
  if (reason.includes('tag')) {
    return {
      code: 'SW_YAML_TAG',
      message: reason,
      hint: 'manifests are JSON in YAML: remove the tag, quote the text',
      ...place,
    }
  }
  const depth = /maxDepth \((\d+)\)/.exec(reason)
  if (depth !== null) {
    return {
      code: 'SW_DOCUMENT_TOO_LARGE',
      message: `nested deeper than ${depth[1]} levels`,
      hint: 'flatten the document',
      ...place,
    }
  }
  if (reason.includes('complex keys')) {
    return {
      code: 'SW_YAML_SYNTAX',
      message: 'a key of this document is a map or a list',
      hint: 'keys are texts: quote it, or remove the question mark',
      ...place,
    }
  }
  return { code: 'SW_YAML_SYNTAX', message: reason, hint: INDENTATION, ...place }
}
