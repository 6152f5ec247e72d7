import { isDeepStrictEqual } from 'node:util'
import { loadAll } from 'js-yaml'
import { type Document, isMap, type ParsedNode, parseAllDocuments } from 'yaml'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { mergePatch } from '../lib/merge-patch.ts'

/**
 * Applies a JSON merge patch to one document of a file. Comments and the order of what stays are kept; what the parser that
 * decides reads afterwards is exactly the document with the patch, and every other document as it was. Null when the patch
 * changes nothing. Throws SW_CONFLICT when the file cannot be edited that way.
 */
export function patchManifest(text: string, document: number, patch: JsonObject): string | null {
  const before = loadAll(text)
  const wanted = mergePatch(before[document] as JsonObject, patch)
  if (isDeepStrictEqual(wanted, before[document])) return null
  const documents = documentsOf(text, document)
  applyTo(documents[document]!, [], patch)
  const edited = written(documents)
  assertRead(edited, before.with(document, wanted))
  return edited
}

/** The file without one of its documents; null when nothing is left of it. */
export function removeDocument(text: string, document: number): string | null {
  const before = loadAll(text)
  const rest = before.toSpliced(document, 1)
  if (rest.every((one) => one === null || one === undefined)) return null
  const edited = written(documentsOf(text, document).toSpliced(document, 1))
  assertRead(edited, rest)
  return edited
}

type Parsed = Document.Parsed<ParsedNode>

function documentsOf(text: string, document: number): Parsed[] {
  const parsed = parseAllDocuments(text)
  if ('empty' in parsed || parsed[document] === undefined)
    throw fail('SW_CONFLICT', `the file has no document ${document}`)
  return parsed
}

function applyTo(document: Parsed, path: readonly string[], patch: JsonObject): void {
  for (const [key, value] of Object.entries(patch)) {
    const at = [...path, key]
    if (value === null) document.deleteIn(at)
    else if (isObject(value) && isMap(document.getIn(at, true))) applyTo(document, at, value as JsonObject)
    // A patch of what is not there is the value without its nulls.
    else if (isObject(value)) document.setIn(at, document.createNode(mergePatch({}, value as JsonObject)))
    // A scalar that is there keeps its comment.
    else document.setIn(at, Array.isArray(value) ? document.createNode(value) : value)
  }
}

function written(documents: readonly Parsed[]): string {
  return documents
    .map((document, index) => {
      if (index > 0 && document.directives !== undefined) document.directives.docStart = true
      return document.toString({ lineWidth: 0 })
    })
    .join('')
}

function assertRead(text: string, wanted: readonly unknown[]): void {
  let read: unknown
  try {
    read = loadAll(text)
  } catch {
    read = null
  }
  if (isDeepStrictEqual(read, wanted)) return
  throw fail('SW_CONFLICT', 'the file cannot be edited without changing more of it', {
    remedy: 'edit the file by hand and push it',
  })
}
