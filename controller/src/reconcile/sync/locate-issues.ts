import { type Issue, uniqueIssues } from '../../lib/issue.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import { positionOf } from '../../parse/positions.ts'
import type { Source } from '../../source/ports.ts'

/**
 * Gives planner issues their line and column. The planner has no text; the few files with something to report are read
 * again; what the parser found as well is told once. A file that cannot be read again leaves its issues without a line.
 */
export async function locateIssues(
  issues: readonly Issue[],
  source: Source,
  fileOf: (path: string) => ParsedFile | undefined,
  pointerInFile: PointerInFile,
  maxBytes: number,
): Promise<Issue[]> {
  const open = new Set(
    issues.filter(
      (issue) =>
        issue.line === undefined &&
        issue.file !== undefined &&
        issue.pointer !== undefined &&
        issue.document !== undefined,
    ),
  )
  const paths = new Set([...open].map((issue) => issue.file!))
  const files = [...paths].flatMap((path) => {
    const file = fileOf(path)
    return file === undefined ? [] : [{ path, oid: file.oid, mode: '100644' }]
  })
  const texts = new Map<string, string>()
  for await (const { file, bytes } of source.read(files, { maxBytes })) {
    if (bytes !== null) texts.set(file.path, new TextDecoder().decode(bytes))
  }
  return uniqueIssues(
    issues.map((issue) => {
      const text = open.has(issue) ? texts.get(issue.file!) : undefined
      return located(issue, text, pointerInFile)
    }),
  )
}

/** Where a pointer of a normalised document stands in its file (documents of an older form). */
export type PointerInFile = (text: string, document: number, pointer: string) => string

function located(issue: Issue, text: string | undefined, pointerInFile: PointerInFile): Issue {
  const { offset, document, ...rest } = issue
  if (text === undefined || document === undefined) return rest
  const pointer = pointerInFile(text, document, issue.pointer!)
  return { ...rest, pointer, ...positionOf(text, document, pointer, offset) }
}
