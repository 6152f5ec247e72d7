/** The first seven characters of a commit or of the digest of a folder; any other text stays whole. */
export function shortRevision(text: string): string {
  return text.replace(/^(dir@)?([0-9a-f]{7})[0-9a-f]{33}(?:[0-9a-f]{24})?$/, '$1$2')
}
