/** True when the whole text fits a pattern in which `*` stands for any text. Takes linear time whatever the pattern. */
export function globMatches(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*')
  if (rest.length === 0) return first === text
  const last = rest.pop()!
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let at = first.length
  const end = text.length - last.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** The texts that any of these globs fits, as a regular expression of Postgres; null when there are none. */
export function globPattern(globs: readonly string[]): string | null {
  if (globs.length === 0) return null
  const parts = [...new Set(globs)]
    .sort()
    .map((glob) => glob.replace(/[.\\+?^${}()|[\]]/g, '\\$&').replaceAll('*', '.*'))
  return `^(?:${parts.join('|')})$`
}
