/** A header that kubectl prints as `Warning: …`: of code 299, quoted, in bytes of UTF-8. */
export function warningHeader(text: string): string {
  const line = text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/["\\]/g, '\\$&')
  return Buffer.from(`299 - "${line}"`, 'utf8').toString('latin1')
}
