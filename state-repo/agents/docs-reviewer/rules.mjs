import { posix } from 'node:path'

/** Every problem of the documents, by file and line. */
export function review({ documents, paths }) {
  const anchors = new Map(documents.map((document) => [document.path, anchorsOf(document.text)]))
  return documents
    .flatMap((document) => [...titleProblems(document), ...lineProblems(document, paths, anchors)])
    .sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line))
}

function titleProblems({ path, text }) {
  const lines = proseLines(text)
  const titles = lines.filter(({ line }) => /^# \S/.test(line))
  const first = lines.find(({ line }) => line.trim() !== '')
  if (first === undefined) return [problem(path, 1, 'empty', 'the file is empty')]
  if (titles.length === 0) return [problem(path, 1, 'title', 'no title: the first line should be "# …"')]
  return titles.slice(1).map(({ number }) => problem(path, number, 'title', 'a second title: use "##" below the first'))
}

function lineProblems({ path, text }, paths, anchors) {
  const problems = []
  let level = 0
  for (const { line, number } of proseLines(text)) {
    const heading = /^(#{1,6}) \S/.exec(line)
    if (heading !== null) {
      if (level > 0 && heading[1].length > level + 1) {
        problems.push(
          problem(path, number, 'heading', `a heading of level ${heading[1].length} right below one of level ${level}`),
        )
      }
      level = heading[1].length
    }
    const left = /\b(TODO|FIXME|TBD|XXX)\b/.exec(line)
    if (left !== null) problems.push(problem(path, number, 'undone', `${left[1]} was left here`))
    for (const { target, image, alt } of linksOf(line)) {
      if (image && alt.trim() === '')
        problems.push(problem(path, number, 'alt', `the image ${target} has no description`))
      const why = brokenLink(path, target, paths, anchors)
      if (why !== null) problems.push(problem(path, number, 'link', why))
    }
  }
  return problems
}

/** Lines outside of code blocks and front matter, with what stands in backticks taken out; numbers count from 1. */
function proseLines(text) {
  const lines = []
  let fence = null
  const all = text.split(/\r?\n/)
  const matterEnd = all[0] === '---' ? all.indexOf('---', 1) : -1
  for (const [index, line] of all.entries()) {
    if (index <= matterEnd) continue
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null
      continue
    }
    if (mark !== undefined) fence = mark
    else lines.push({ line: line.replace(/(`+)(?!`).*?\1/g, ''), number: index + 1 })
  }
  return lines
}

function linksOf(line) {
  return [...line.matchAll(/(!?)\[([^\]]*)\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)].map(([, mark, alt, target]) => ({
    image: mark === '!',
    alt,
    target,
  }))
}

/** Why a link inside the folder leads nowhere; null for good ones and for those to elsewhere. */
function brokenLink(from, target, paths, anchors) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('/')) return null
  const [file, anchor] = target.split('#')
  const path = file === '' ? from : posix.normalize(posix.join(posix.dirname(from), decoded(file))).replace(/\/$/, '')
  // What lies above the folder cannot be looked up.
  if (path === '.' || path === '..' || path.startsWith('../')) return null
  if (!paths.has(path)) return `the link to ${target} leads nowhere`
  if (!anchor || !anchors.has(path) || anchors.get(path).has(decoded(anchor).toLowerCase())) return null
  return `${path} has no heading for #${anchor}`
}

/** The anchors of headings as forges make them. */
function anchorsOf(text) {
  const anchors = new Set()
  const count = new Map()
  for (const { line } of proseLines(text.replace(/`/g, ''))) {
    for (const [, id] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id.toLowerCase())
    const heading = /^#{1,6} +(.+?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
    const seen = count.get(slug) ?? 0
    anchors.add(seen === 0 ? slug : `${slug}-${seen}`)
    count.set(slug, seen + 1)
  }
  return anchors
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function problem(file, line, rule, message) {
  return { file, line, rule, message }
}
