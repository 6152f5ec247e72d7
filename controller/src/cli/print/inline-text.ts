/**
 * Text of others on one line of a terminal: line ends become blanks. Control characters, which could move the cursor or
 * turn the direction of writing, become visible escapes.
 */
export function inlineText(text: string): string {
  return terminalText(text.replaceAll(/\s*[\r\n]+\s*/g, ' ').replaceAll('\t', ' '))
}

/** Text of others over several lines: only line ends and tabs keep their meaning. */
export function terminalText(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (letter) => {
    if (letter === '\n' || letter === '\t') return letter
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
