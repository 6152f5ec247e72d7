import type { KindDefinition } from '../kinds/definition.ts'

/** The kind that somebody means by its kind, plural, singular or short name, in any case; null when there is none. */
export function resolveKind(kinds: readonly KindDefinition[], word: string): KindDefinition | null {
  const lower = word.toLowerCase()
  const named = (kind: KindDefinition): boolean =>
    [kind.kind.toLowerCase(), kind.plural, kind.singular, ...kind.shortNames].some((name) => name === lower)
  return kinds.find(named) ?? null
}
