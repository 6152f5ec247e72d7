import { TextDecoder } from 'node:util'
import { GROUP, type SpecProblem } from '../kinds/definition.ts'
import type { ObjectKey, Resource } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { ParseIssueCode } from '../lib/issue-catalogue.ts'
import { isObject } from '../lib/json.ts'
import { readDocument } from './document.ts'
import type { ParseLimits } from './limits.ts'
import type { ParsedFile } from './parsed-file.ts'
import type { FormerFormReader } from './ports.ts'
import { keyPositionOf, positionOf } from './positions.ts'
import { scanForSecrets } from './secret-scan/scan.ts'
import { withholdSecrets } from './secret-scan/withhold.ts'
import { readYaml } from './yaml.ts'

export interface FileInput {
  readonly path: string
  readonly oid: string
  /** Git's file mode. */
  readonly mode: string
  readonly size: number
  /** null when it is over the limit. */
  readonly bytes: Uint8Array | null
}

export interface ParseOptions {
  readonly defaultNamespace: string
  readonly limits: ParseLimits
  readonly formerForm: FormerFormReader
}

/** Only these are looked into; every other file belongs to somebody (a program, a prompt) and is not a manifest. */
export function isManifestPath(path: string): boolean {
  return (
    /\.(ya?ml|json)$/i.test(path) &&
    !/(^|\/)(package(-lock)?|tsconfig[^/]*)\.json$/.test(path) &&
    !/(^|\/)\.[^/]+(\/|$)/.test(path)
  )
}

/** Whether a file of a source is looked at: a possible manifest, or a submodule, which may hold some. */
export function isLookedAt(file: { readonly path: string; readonly mode: string }): boolean {
  return file.mode === '160000' || isManifestPath(file.path)
}

/** Bytes of one file → resources, or issues with file:line:column. Collects everything; throws for nothing anybody wrote. */
export function parseFile(input: FileInput, options: ParseOptions): ParsedFile {
  const unreadable = unreadableReason(input, options.limits)
  if (unreadable !== null) return only(input, [unreadable], unreadable.severity === 'error')
  const bytes = input.bytes!
  const wide = decodeUtf16(bytes)
  if (wide !== null) return wrongEncoding(input, 'UTF-16, not UTF-8', wide)
  if (bytes.includes(0))
    return only(
      input,
      [
        issue(
          input,
          'SW_FILE_BINARY',
          'error',
          'the file holds NUL bytes: it is not text',
          'remove it, or list it in .statewardignore',
        ),
      ],
      true,
    )
  const text = decode(UTF8, bytes)
  return text === null
    ? wrongEncoding(input, 'not UTF-8', Buffer.from(bytes).toString('latin1'))
    : withholdSecrets(parseText(input, text, options), text)
}

/**
 * A file that is no manifest (a program, a prompt, a `.env`): it declares nothing, and is only looked through for secrets.
 * Null when it holds none.
 */
export function scanFile(input: FileInput): ParsedFile | null {
  const issues = input.bytes === null ? [] : scanForSecrets(input.path, input.bytes)
  if (issues.length === 0) return null
  return { path: input.path, oid: input.oid, resources: [], issues, ignored: 0, identified: [], unidentified: false }
}

function parseText(input: FileInput, text: string, options: ParseOptions): ParsedFile {
  const yaml = readYaml(text, options.limits)
  const ours = yaml.problems.length > 0 && looksOurs(text)
  const issues = yaml.problems.flatMap((found): Issue[] => {
    if (ours) return [{ ...found, severity: 'error', file: input.path }]
    // Templates of other tools are not YAML yet: nothing to report.
    if (text.includes('{{')) return []
    return [
      {
        ...found,
        code: 'SW_FOREIGN_UNREADABLE',
        severity: 'warning',
        file: input.path,
        hint: `not read as a manifest; list it in .statewardignore if it is not one`,
      },
    ]
  })
  const resources: Resource[] = []
  const identified: ObjectKey[] = []
  let ignored = ours ? 0 : yaml.problems.length
  let unidentified = ours
  const flat = yaml.documents.flatMap(({ value, index }) => itemsOf(value).map((item) => ({ ...item, index })))
  if (flat.length > options.limits.maxDocumentsPerFile) {
    issues.push(
      issue(
        input,
        'SW_TOO_MANY_DOCUMENTS',
        'error',
        `${flat.length} documents are more than ${options.limits.maxDocumentsPerFile}`,
        'split the file',
      ),
    )
    return only(input, issues, true)
  }
  for (const { value, pointer, index } of flat) {
    if (value === null || value === undefined) continue
    const reading = readDocument(value, { file: input.path, document: index, base: pointer, ...options })
    if (reading.is === 'foreign') {
      ignored++
      continue
    }
    for (const problem of reading.problems) issues.push(located(problem, text, index, pointer, input.path, reading.key))
    if (reading.resource !== null) resources.push(reading.resource)
    else if (reading.key !== null) identified.push(reading.key)
    else unidentified = true
  }
  return {
    path: input.path,
    oid: input.oid,
    resources,
    issues,
    ignored,
    identified,
    unidentified,
    ...(yaml.problems.length > 0 ? { unreadable: true as const } : {}),
    ...(unidentified ? { words: wordsOf(text) } : {}),
  }
}

/** In the form of names: also a v0 id becomes one this way. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .toLowerCase()
      .replaceAll('_', '-')
      .match(/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/g),
  )
}

/** `kind: List` of the core group holds documents; everything else is one. */
function itemsOf(value: unknown): { value: unknown; pointer: string }[] {
  if (isObject(value) && value['kind'] === 'List' && value['apiVersion'] === 'v1' && Array.isArray(value['items'])) {
    return value['items'].map((item, i) => ({ value: item, pointer: `/items/${i}` }))
  }
  return [{ value, pointer: '' }]
}

function located(
  problem: SpecProblem,
  text: string,
  document: number,
  base: string,
  file: string,
  key: ObjectKey | null,
): Issue {
  const pointer = base + problem.pointer
  const atKey = problem.code === 'SW_UNKNOWN_FIELD' || problem.code === 'SW_SERVER_FIELD'
  const position = atKey ? keyPositionOf(text, document, pointer) : positionOf(text, document, pointer, problem.offset)
  return {
    code: problem.code,
    severity: problem.severity ?? 'error',
    message: problem.message,
    hint: problem.hint,
    file,
    ...position,
    pointer,
    ...(key === null ? {} : { object: key }),
  }
}

function unreadableReason(input: FileInput, limits: ParseLimits): Issue | null {
  if (input.mode === '120000')
    return issue(input, 'SW_SYMLINK', 'warning', 'a symbolic link is not followed', 'put the file itself here')
  if (input.mode === '160000')
    return issue(
      input,
      'SW_SUBMODULE',
      'warning',
      'a submodule is not read',
      'put the files here, or declare a Source of their own',
    )
  if (input.bytes === null) {
    return issue(
      input,
      'SW_FILE_TOO_LARGE',
      'error',
      `the file has ${input.size} bytes, the limit is ${limits.maxFileBytes}`,
      'split it, or list it in .statewardignore',
    )
  }
  return null
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })
const UTF16_LE = new TextDecoder('utf-16le', { fatal: true })
const UTF16_BE = new TextDecoder('utf-16be', { fatal: true })

/** Text with a UTF-16 byte order mark; null without one, or when it is something else after all. */
function decodeUtf16(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode(UTF16_LE, bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode(UTF16_BE, bytes)
  return null
}

function wrongEncoding(input: FileInput, what: string, text: string): ParsedFile {
  const ours = looksOurs(text)
  return only(
    input,
    [
      issue(
        input,
        ours ? 'SW_FILE_ENCODING' : 'SW_FOREIGN_UNREADABLE',
        ours ? 'error' : 'warning',
        `the file is ${what}`,
        'save it as UTF-8',
      ),
    ],
    ours,
  )
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** Whether text that cannot be read was meant for us: it names our group, or has the keys of a v0 blueprint. */
function looksOurs(text: string): boolean {
  return text.includes(`${GROUP}/`) || (/^plan:/m.test(text) && /^trigger:/m.test(text))
}

function issue(
  input: FileInput,
  code: ParseIssueCode,
  severity: Issue['severity'],
  message: string,
  hint: string,
): Issue {
  return { code, severity, message, hint, file: input.path }
}

function only(input: FileInput, issues: readonly Issue[], unidentified: boolean): ParsedFile {
  return {
    path: input.path,
    oid: input.oid,
    resources: [],
    issues,
    ignored: 0,
    identified: [],
    unidentified,
    unreadable: true,
  }
}
