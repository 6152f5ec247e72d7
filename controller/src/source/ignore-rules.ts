import ignore from 'ignore'

/** Holds rules as `.gitignore` does, in the root of a source and in folders; part of the tree like any other file. */
export const IGNORE_FILE = '.statewardignore'

export interface IgnoreFile {
  /** The folder it stands in, '' for the root. */
  readonly directory: string
  readonly text: string
}

/** True for a path no reader shall see. A directory is asked for with `isDirectory`, so that `build/` can match it. */
export type IgnoreMatcher = (path: string, isDirectory?: boolean) => boolean

/** Rules of folders further down win over those above them, and nothing below an ignored folder comes back: as in git. */
export function ignoreMatcher(files: readonly IgnoreFile[]): IgnoreMatcher {
  const ordered = [...files].sort((a, b) => depth(a.directory) - depth(b.directory))
  const patterns = ordered.flatMap((file) => patternsFromRoot(file))
  if (patterns.length === 0) return isNeverSource
  const rules = ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns)
  return (path, isDirectory = false) => isNeverSource(path) || rules.ignores(isDirectory ? `${path}/` : path)
}

export function isIgnoreFile(path: string): boolean {
  return path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`)
}

/** Git's own folder, wherever it stands, and the ignore files themselves. */
function isNeverSource(path: string): boolean {
  return isIgnoreFile(path) || /(^|\/)\.git(\/|$)/i.test(path)
}

function depth(directory: string): number {
  return directory === '' ? 0 : directory.split('/').length
}

/** The patterns of a file as they read from the root: one list then has git's precedence, the last match wins. */
function patternsFromRoot(file: IgnoreFile): string[] {
  const lines = file.text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const patterns: string[] = []
  for (const line of lines) {
    if (line.trim() === '' || line.startsWith('#')) continue
    if (file.directory === '') {
      patterns.push(line)
      continue
    }
    const negated = line.startsWith('!')
    const body = (negated ? line.slice(1) : line).replace(/(?<!\\)\s+$/, '')
    // A slash before the end ties a pattern to its folder; without one it holds at any depth below.
    const tied = body.slice(0, -1).includes('/')
    const folder = file.directory.replace(/[\\*?[\]!# ]/g, '\\$&')
    patterns.push(`${negated ? '!' : ''}/${folder}/${tied ? body.replace(/^\//, '') : `**/${body}`}`)
  }
  return patterns
}
