/** A JSON value on one line, cut to `max` characters; holds nothing a terminal would obey. */
export function valueText(value: unknown, max: number): string {
  const text = printable(JSON.stringify(value) ?? '')
  return text.length > max ? `${text.slice(0, max - 1)}…`.toWellFormed() : text
}

/** Control characters (and those that turn the direction of text) as \u escapes: what is printed came from files anybody wrote. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (letter) => `\\u${letter.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}
