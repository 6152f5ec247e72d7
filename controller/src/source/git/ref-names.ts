/**
 * Names of refs and revisions. What passes here holds no white space, control character or leading dash, so it is safe
 * in git's line protocols and on its command lines.
 */

/** The rules of `git check-ref-format`. */
export function isValidRefName(name: string): boolean {
  if (name === '' || name === '@' || name.startsWith('-') || name.endsWith('.') || name.endsWith('/')) return false
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what git refuses in a ref
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
}

/** A complete name below `refs/`, as writers need it. */
export function isFullRefName(name: string): boolean {
  return name.startsWith('refs/') && name.length > 5 && isValidRefName(name)
}

export function isOid(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/** Complete names a source's `ref` may mean, in order: a branch before a tag, unlike git, since a source follows branches. */
export function refCandidates(ref: string): readonly string[] {
  return ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`]
}

export interface RevisionName {
  /** A ref, an oid or the beginning of one. */
  readonly base: string
  /** Parents to follow from there: `~2` is [1, 1], `^2` is [2]. */
  readonly parents: readonly number[]
}

/** `main~100000000` names nothing and must cost nothing. */
const MAX_PARENTS = 10_000

/** Reads `main`, `refs/heads/main`, an oid, each with `~<n>` and `^<n>` behind it; null for anything else. */
export function parseRevision(text: string): RevisionName | null {
  const match = /^([^~^]+)((?:[~^]\d*)*)$/.exec(text)
  if (match === null || !isValidRefName(match[1]!)) return null
  const parents: number[] = []
  for (const [, sign, digits] of match[2]!.matchAll(/([~^])(\d*)/g)) {
    const count = digits === '' ? 1 : Number(digits)
    if (count + parents.length > MAX_PARENTS) return null
    if (sign === '^') parents.push(count)
    else for (let i = 0; i < count; i++) parents.push(1)
  }
  return { base: match[1]!, parents }
}
