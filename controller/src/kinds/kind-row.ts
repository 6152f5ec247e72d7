import type { KindDefinition } from './definition.ts'

/** What the command line needs to know of a kind; the registry's schemas take too long to load for a `get`. */
export type KindRow = Pick<
  KindDefinition,
  'kind' | 'plural' | 'singular' | 'shortNames' | 'scope' | 'columns' | 'notYetEnforced'
>

export function kindRowOf({
  kind,
  plural,
  singular,
  shortNames,
  scope,
  columns,
  notYetEnforced,
}: KindDefinition): KindRow {
  return { kind, plural, singular, shortNames, scope, columns, notYetEnforced }
}
