// What is in a text.

export function look({ text }) {
  if (typeof text !== 'string') throw new Error('inputs.text has to be a text')
  const lines = text.split('\n')
  const headings = lines.flatMap((line, i) =>
    /^#{1,6} /.test(line) ? [{ line: i + 1, title: line.replace(/^#+ +/, '') }] : [],
  )
  const undone = lines.flatMap((line, i) =>
    /\b(TODO|FIXME|XXX)\b|^\s*[-*] \[ \]/.test(line) ? [{ line: i + 1, text: line.trim() }] : [],
  )
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|\bhttps?:\/\/[^\s)>\]]+/g)].map(([whole, target]) => target ?? whole)
  const words = text.split(/\s+/).filter(Boolean).length
  return {
    words,
    lines: lines.length,
    headings,
    undone,
    links,
    summary: `${words} words, ${headings.length} headings, ${undone.length} left undone`,
  }
}
