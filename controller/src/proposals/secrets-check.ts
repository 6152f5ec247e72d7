import type { Issue } from '../lib/issue.ts'
import { scanForSecrets } from '../parse/secret-scan/scan.ts'
import type { ChangedEntry, ProposalBranches } from './ports.ts'

/** Larger files do not belong into a state repo, and are not searched. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** Secrets in plain sight that a change brings into files of any kind; those that were there before are not its. */
export async function secretsIn(
  repository: Pick<ProposalBranches, 'readBlobs'>,
  changes: readonly ChangedEntry[],
): Promise<Issue[]> {
  const files = changes.filter(({ to }) => to?.mode.startsWith('100'))
  const oids = new Set(files.flatMap(({ from, to }) => (from === null ? [to!.oid] : [from.oid, to!.oid])))
  const found = new Map<string, readonly Issue[]>()
  const pathOf = new Map(
    files.flatMap(({ path, from, to }) => [[from?.oid ?? '', path] as const, [to!.oid, path] as const]),
  )
  for await (const { oid, size, bytes } of repository.readBlobs([...oids], { maxBytes: MAX_FILE_BYTES })) {
    const path = pathOf.get(oid)!
    found.set(oid, bytes === null ? [tooLarge(path, size)] : scanForSecrets(path, bytes))
  }
  return files.flatMap(({ path, from, to }) => {
    // The hint holds the fingerprint of what was found.
    const known = new Set((found.get(from?.oid ?? '') ?? []).map(({ hint }) => hint))
    const issues = (found.get(to!.oid) ?? []).filter(({ severity, hint }) => severity === 'error' && !known.has(hint))
    return issues.map((issue) => ({ ...issue, file: path }))
  })
}

function tooLarge(file: string, size: number): Issue {
  return {
    ...{ code: 'SW_FILE_TOO_LARGE', severity: 'error' as const, file },
    message: `the file has ${size} bytes, more than ${MAX_FILE_BYTES}: it is not searched for secrets`,
    hint: 'keep large files elsewhere, as artifacts',
  }
}
