import { fail } from '../../lib/error-catalogue.ts'
import type { WriteCommit } from '../ports.ts'
import { isFullRefName, isOid } from './ref-names.ts'

export interface FileWrite {
  readonly path: string
  readonly bytes: Uint8Array
}

export interface CheckedWrite {
  readonly deletes: readonly string[]
  readonly writes: readonly FileWrite[]
}

/**
 * Checks what both adapters must refuse alike, and puts deletions before writes, so that `a` may make room for `a/b`
 * whatever the order of the map. Throws SW_REPO_INVALID for a bad ref and SW_PATH_ESCAPES for a path git would not take.
 */
export function checkWrite(request: WriteCommit): CheckedWrite {
  if (!isFullRefName(request.ref))
    throw fail('SW_REPO_INVALID', `"${request.ref}" is not the full name of a ref`, {
      remedy: 'write it as refs/heads/<name>',
    })
  for (const oid of [request.parent, request.base ?? null, request.expected ?? null]) {
    if (oid !== null && !isOid(oid)) throw fail('SW_REV_MISSING', `"${oid}" is not the id of a commit`)
  }
  const deletes: string[] = []
  const writes: FileWrite[] = []
  for (const [path, content] of request.files) {
    if (!isTreePath(path))
      throw fail('SW_PATH_ESCAPES', `"${path}" cannot be a path in a git tree`, {
        remedy: 'use a relative path without empty, ".", ".." or ".git" parts',
      })
    if (content === null) deletes.push(path)
    else writes.push({ path, bytes: typeof content === 'string' ? Buffer.from(content) : content })
  }
  refuseFilesInFiles(writes)
  return { deletes, writes }
}

function refuseFilesInFiles(writes: readonly FileWrite[]): void {
  const paths = new Set(writes.map(({ path }) => path))
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end)
      if (paths.has(above)) {
        throw fail('SW_PATH_ESCAPES', `"${above}" cannot be a file and hold "${path}"`, {
          remedy: 'write one of the two',
        })
      }
    }
  }
}

function isTreePath(path: string): boolean {
  if (path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')
}

/** What the ref must hold before the write; null = it must not exist. */
export function expectedTip(request: WriteCommit): string | null {
  return request.expected === undefined ? request.parent : request.expected
}

/** The mode of a written file: what the request says, else what was there, else a plain file. */
export function modeOfWrite(request: WriteCommit, path: string, existing: string | undefined): '100644' | '100755' {
  const asked = request.executable?.has(path)
  if (asked !== undefined) return asked ? '100755' : '100644'
  return existing === '100755' ? '100755' : '100644'
}

/** The error of a lost compare-and-swap. */
export function refMoved(ref: string, expected: string | null, actual: string | null) {
  const said = (oid: string | null) => oid ?? 'missing'
  return fail('SW_CONFLICT', `${ref} is ${said(actual)}, not ${said(expected)}: another writer was first`, {
    details: { ref, expected, actual },
    remedy: 'read the ref again and write onto its new commit',
  })
}
