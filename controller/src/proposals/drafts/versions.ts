import type { DraftKind } from '../../store/queries/drafts.ts'
import type { ProposalBranches } from '../ports.ts'
import type { DraftDeps } from './ports.ts'

const FETCH_TIMEOUT_MS = 60_000
const WORD = { blueprint: 'bp', pack: 'pack' } as const satisfies Record<DraftKind, string>

/** A promoted version in Git: `bp/<id>/v<version>`, or `pack/<id>/v<version>`. */
export function versionTag(kind: DraftKind, item: string, version: number): string {
  return `${WORD[kind]}/${item}/v${version}`
}

export const tagRef = (tag: string): string => `refs/tags/${tag}`

/** Brings the versions of a remote here, so that none is given twice. */
export async function fetchVersions({ repository, remoteUrl }: DraftDeps): Promise<void> {
  if (remoteUrl === null) return
  const refspecs = Object.values(WORD).map((word) => `refs/tags/${word}/*:refs/tags/${word}/*`)
  await repository.fetch({ url: remoteUrl, refspecs, timeoutMs: FETCH_TIMEOUT_MS })
}

/** The first version that no tag has, beyond every one that was given. */
export async function nextVersion(
  repository: Pick<ProposalBranches, 'refs'>,
  kind: DraftKind,
  item: string,
): Promise<number> {
  const prefix = `refs/tags/${WORD[kind]}/${item}/v`
  const tags = [...(await repository.refs(`refs/tags/${WORD[kind]}/${item}/`)).keys()]
  return Math.max(0, ...tags.map((tag) => numberOf(tag.slice(prefix.length)))) + 1
}

function numberOf(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
}
