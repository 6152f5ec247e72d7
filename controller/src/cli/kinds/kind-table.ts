import type { KindRow } from '../../kinds/kind-row.ts'
import { RUN, TASK, WORK_ITEM, WORKER } from '../../kinds/record-kinds.ts'
import { closest } from '../../lib/closest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import declared from './kind-table.json' with { type: 'json' }

/** What `all` means: the kinds that are declared, generated from the registry, and the records. */
const OBJECTS: readonly KindRow[] = [...(declared as readonly KindRow[]), RUN]

/** Every kind people can name: also tasks, items of the work graph, and the server's own processes. */
export const KIND_TABLE: readonly KindRow[] = [...OBJECTS, TASK, WORK_ITEM, WORKER]

/** By plural, singular, short name or kind, in any case. Throws SW_NOT_FOUND with the nearest word. */
export function kindByWord(word: string): KindRow {
  const wanted = word.toLowerCase()
  const found = KIND_TABLE.find((row) => wordsOf(row).includes(wanted))
  if (found !== undefined) return found
  const near = closest(wanted, KIND_TABLE.flatMap(wordsOf))
  throw fail('SW_NOT_FOUND', `there is no kind "${word}"${near === undefined ? '' : `; did you mean "${near}"?`}`, {
    remedy: `name one of ${KIND_TABLE.map((row) => row.plural).join(', ')}`,
  })
}

/** Whether a word names a kind that is declared in the state repo. */
export function isDeclaredKind(word: string): boolean {
  return (declared as readonly KindRow[]).some((row) => wordsOf(row).includes(word.toLowerCase()))
}

/** `agents,bp` and `all`; each kind once. */
export function kindsByWords(words: string): readonly KindRow[] {
  const rows = words
    .split(',')
    .filter((word) => word !== '')
    .flatMap((word) => (word.toLowerCase() === 'all' ? OBJECTS : [kindByWord(word)]))
  return [...new Set(rows)]
}

function wordsOf(row: KindRow): string[] {
  return [row.plural, row.singular, ...row.shortNames, row.kind.toLowerCase()]
}
