import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type GeneratedFile, oneFileEdits, stateRepoFiles } from './documents.ts'

export const BRANCH = 'refs/heads/main'
/** Where commits wait until the branch is moved to them. */
const PREPARED = 'refs/bench/prepared'

export interface GeneratedRepo {
  readonly gitDir: string
  /** The commit with all documents; the branch is there. */
  readonly head: string
  /** Commits on top of each other that change one file each; all objects are there already. */
  readonly edits: readonly string[]
}

/** Makes a bare repository with so many documents and edits. */
export async function generateStateRepo(gitDir: string, documents: number, edits: number): Promise<GeneratedRepo> {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', gitDir])
  await fastImport(gitDir, importStream(documents, edits))
  const head = git(gitDir, 'rev-parse', BRANCH)
  const prepared = git(gitDir, 'rev-list', '--reverse', PREPARED, `^${BRANCH}`).split('\n')
  if (prepared.length !== edits) throw new Error(`${prepared.length} edits were made instead of ${edits}`)
  // As a clone would have it: fast-import does not look for deltas.
  git(gitDir, 'repack', '-adfq')
  return { gitDir, head, edits: prepared }
}

export function git(gitDir: string, ...args: string[]): string {
  return execFileSync('git', [`--git-dir=${gitDir}`, ...args], { encoding: 'utf8', maxBuffer: 1024 ** 3 }).trim()
}

function* importStream(documents: number, edits: number): Iterable<string> {
  yield commit(BRANCH, 'all documents', 0)
  for (const file of stateRepoFiles(documents)) yield modify(file)
  yield `reset ${PREPARED}\nfrom ${BRANCH}\n\n`
  let n = 0
  for (const file of oneFileEdits(documents, edits))
    yield `${commit(PREPARED, `change ${file.path}`, ++n)}${modify(file)}`
  yield 'done\n'
}

function commit(ref: string, message: string, n: number): string {
  return `commit ${ref}\ncommitter Bench <bench@example.com> ${1_767_225_600 + n} +0000\n${data(message)}`
}

function modify({ path, text }: GeneratedFile): string {
  return `M 100644 inline ${path}\n${data(text)}`
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

async function fastImport(gitDir: string, stream: Iterable<string>): Promise<void> {
  const child = spawn('git', [`--git-dir=${gitDir}`, 'fast-import', '--quiet', '--done'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = once(child, 'exit')
  for (const part of stream) if (!child.stdin.write(part)) await once(child.stdin, 'drain')
  child.stdin.end()
  const [code] = await ended
  if (code !== 0) throw new Error(`git fast-import ended with exit code ${code}`)
}
