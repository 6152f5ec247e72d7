import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../../lib/error-code.ts'
import type { Artefact } from './artefact.ts'

/** What differs between the tree and what the source code says; sorted paths from the root. */
export interface Staleness {
  readonly stale: readonly { readonly path: string; readonly content: string }[]
  /** Files in generated folders that nothing makes any more. */
  readonly leftover: readonly string[]
}

/** Compares; changes nothing. */
export async function findStale(
  root: string,
  artefacts: readonly Artefact[],
  folders: readonly string[],
): Promise<Staleness> {
  const rendered = await Promise.all(artefacts.map(async ({ path, render }) => ({ path, content: await render() })))
  const stale: { path: string; content: string }[] = []
  for (const file of rendered) if ((await contentOf(join(root, file.path))) !== file.content) stale.push(file)
  const paths = new Set(artefacts.map(({ path }) => path))
  const found = await Promise.all(folders.map((folder) => filesIn(root, folder)))
  return {
    stale: stale.sort((a, b) => (a.path < b.path ? -1 : 1)),
    leftover: found
      .flat()
      .filter((path) => !paths.has(path))
      .sort(),
  }
}

/** Writes what is stale and removes what is left over. */
export async function bringUpToDate(root: string, { stale, leftover }: Staleness): Promise<void> {
  for (const { path, content } of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  for (const path of leftover) await rm(join(root, path))
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function filesIn(root: string, folder: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => `${folder}/${entry.name}`)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}
