/**
 * A problem with what somebody wrote, as data: collected, never thrown, rendered at the edge.
 * `code` is a stable catalogue reference (`SW_…`); `line` and `column` count from 1.
 */
export interface Issue {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** What to do about it, in one sentence. */
  readonly hint: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** RFC 6901 pointer into the document, e.g. `/spec/plan/0/id`. */
  readonly pointer?: string
  /** Where the problem is a part of the text at the pointer: its offset there. */
  readonly offset?: number
  /** Number of the document in the file, from 0; given as long as line and column are not known. */
  readonly document?: number
  /** `<Kind>/<namespace>/<name>`, or `<Kind>/<name>` for cluster-scoped kinds, when the document said who it is. */
  readonly object?: string
}

/** `agents/sre.yaml:12:7`, as far as it is known. */
export function placeOf(issue: Pick<Issue, 'file' | 'line' | 'column'>): string {
  if (issue.file === undefined) return '-'
  if (issue.line === undefined) return issue.file
  return issue.column === undefined ? `${issue.file}:${issue.line}` : `${issue.file}:${issue.line}:${issue.column}`
}

/** Each problem once, whoever found it. A line names a place better than the number of its document. */
export function uniqueIssues(issues: readonly Issue[]): Issue[] {
  const seen = new Map<string, Issue>()
  for (const issue of issues) {
    const place = issue.line === undefined ? `document ${issue.document}` : `${issue.line}:${issue.column}`
    seen.set(`${issue.code} ${issue.file} ${place} ${issue.pointer} ${issue.message}`, issue)
  }
  return [...seen.values()]
}

/** One line for people: place, message, remedy and code. */
export function formatIssue(issue: Issue): string {
  return `${placeOf(issue)}: ${issue.severity}: ${issue.message} (${issue.hint}) [${issue.code}]`
}
