import { tryEvaluate } from '../expressions/evaluate.ts'
import { evaluateFilter } from '../expressions/filter.ts'
import { parseTemplate, textOf } from '../expressions/template.ts'
import type { EventValue } from '../expressions/values.ts'
import { sha256 } from '../lib/digest.ts'
import type { StatewardError } from '../lib/errors.ts'
import { globMatches } from '../lib/glob.ts'
import type { CompiledTrigger } from './compiled-plan.ts'

export type TriggerMatch =
  | { readonly matches: true; readonly dedupeKey: string | null }
  /** `missingKey`: a key the filter or the dedupeKey reads and the event does not have. `error`: the expression itself failed. */
  | { readonly matches: false; readonly missingKey: string | null; readonly error: StatewardError | null }

type Matched = Pick<CompiledTrigger, 'event' | 'filter' | 'dedupeKey'>

const NO_MATCH: TriggerMatch = { matches: false, missingKey: null, error: null }
/** An index row of Postgres holds at most 2,700 bytes. */
const MAX_KEY = 512
const OURS = 'stateward.'

/**
 * Whether a trigger or a wait takes events of this name. A glob that does not itself begin with `stateward.` never
 * matches our own events: a blueprint that listens to everything would start itself.
 */
export function takesEvent(wanted: string, eventName: string): boolean {
  if (eventName.startsWith(OURS) && !wanted.startsWith(OURS)) return false
  return globMatches(wanted, eventName)
}

/** Whether an event starts a run, and the key under which it is the same run. Never throws for what an event holds. */
export function matchTrigger(trigger: Matched, event: EventValue): TriggerMatch {
  if (!takesEvent(trigger.event, event.name)) return NO_MATCH
  if (trigger.filter !== null) {
    const result = evaluateFilter(trigger.filter, { event })
    if (!result.matched) return { matches: false, missingKey: result.missingKey, error: result.error ?? null }
  }
  return trigger.dedupeKey === null ? { matches: true, dedupeKey: null } : dedupeKeyOf(trigger.dedupeKey, event)
}

function dedupeKeyOf(template: string, event: EventValue): TriggerMatch {
  const parsed = parseTemplate(template)
  if (!parsed.ok) throw new Error(`a dedupeKey that was not checked: ${parsed.problem.message}`)
  let key = ''
  for (const part of parsed.parts) {
    if ('text' in part) {
      key += part.text
      continue
    }
    const result = tryEvaluate(part.expression, { event })
    if (!result.ok)
      return { matches: false, missingKey: result.missingKey, error: result.missingKey === null ? result.error : null }
    key += textOf(result.value)
  }
  return { matches: true, dedupeKey: key.length > MAX_KEY ? `sha256:${sha256(key)}` : key }
}
