/** Of a commit. */
const SHORTEST = 40

/** The first seven characters of a commit, or of the digest of a folder or a cluster, also of two of them joined; any other text stays whole. */
export function shortRevision(text: string): string {
  if (text.length < SHORTEST) return text
  return text
    .split('+')
    .map((part) => part.replace(/^(dir@|cluster@)?([0-9a-f]{7})[0-9a-f]{33}(?:[0-9a-f]{24})?$/, '$1$2'))
    .join('+')
}
