/** One word for a POSIX shell: what is not plain stands between single quotes, where everything stands for itself. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
