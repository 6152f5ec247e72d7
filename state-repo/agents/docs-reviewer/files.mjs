import { readdir, readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'

const MAX_FILES = 5000
const MAX_BYTES = 1024 * 1024
const SKIPPED = new Set(['.git', 'node_modules'])

/**
 * The Markdown below a folder, and the paths of everything there, so that links can be looked up.
 * Paths are relative to the folder, with `/`. Symbolic links are not followed.
 */
export async function readMarkdown(folder) {
  if (!isAbsolute(folder)) throw new Error(`inputs.folder has to be an absolute path, not "${folder}"`)
  const root = await stat(folder).catch(() => null)
  if (!root?.isDirectory()) throw new Error(`there is no folder ${folder} on this host`)
  const paths = new Set()
  await walk(folder, folder, paths)
  const documents = []
  for (const path of [...paths].filter((each) => /\.(md|markdown)$/i.test(each)).sort()) {
    const bytes = await readFile(join(folder, path))
    if (bytes.length <= MAX_BYTES) documents.push({ path, text: bytes.toString('utf8') })
  }
  return { documents, paths }
}

async function walk(root, folder, paths) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue
    const full = join(folder, entry.name)
    const path = relative(root, full).split(sep).join('/')
    if (paths.size >= MAX_FILES) throw new Error(`more than ${MAX_FILES} files below the folder: name a smaller one`)
    if (entry.isDirectory()) {
      paths.add(path)
      await walk(root, full, paths)
    } else if (entry.isFile()) paths.add(path)
  }
}
