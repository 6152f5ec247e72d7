import { digestOf } from '../lib/digest.ts'
import type { Change } from './change-set.ts'
import type { Effect } from './effects/effect.ts'

/** A policy as it was when it asked. */
export interface PolicyVersion {
  readonly namespace: string
  readonly name: string
  readonly version: number
}

/**
 * What was decided, not when: every object whose effective digest would change (also one that waits), from what to what, what
 * that does, and the policies that ask for approvals. No commits, no times, no order.
 */
export function planDigest(
  changes: readonly Change[],
  effects: readonly Effect[],
  policies: readonly PolicyVersion[],
): string {
  const byObject = Map.groupBy(effects, ({ kind, namespace, name }) => `${kind}/${namespace}/${name}`)
  const decided = changes
    .filter(({ fromDigest, toDigest }) => fromDigest !== toDigest)
    .map(({ kind, namespace, name, fromDigest: from, toDigest: to }) => ({
      kind,
      namespace,
      name,
      from,
      to,
      effects: (byObject.get(`${kind}/${namespace}/${name}`) ?? [])
        .map(({ effect, gained = [], lost = [] }) => [
          effect,
          ...gained.map((one) => `+${one}`),
          ...lost.map((one) => `-${one}`),
        ])
        .map((words) => words.join(' '))
        .sort(),
    }))
  const versions = policies.map(({ namespace, name, version }) => `${namespace}/${name}@${version}`)
  return digestOf({ changes: sortedBy(decided, keyText), policies: [...new Set(versions)].sort() })
}

function keyText({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind}/${namespace}/${name}`
}

function sortedBy<T>(items: readonly T[], text: (item: T) => string): T[] {
  return items.toSorted((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0))
}
