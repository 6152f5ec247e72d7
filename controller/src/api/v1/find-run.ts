import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import type { Executor } from '../../store/database.ts'
import { type GateDto, listGates } from '../../store/queries/gates.ts'
import { createdRunIds } from '../../store/queries/rebuild.ts'
import { type RunReadRow, runsById, runsByReference } from '../../store/queries/runs-read.ts'

const SHORTEST_PREFIX = 4

/**
 * The run a reference means: its name, its whole id, or a beginning of either that is unique (4 characters or more).
 * Throws SW_NOT_FOUND or SW_AMBIGUOUS, which names the candidates.
 */
export async function findRun(sql: Executor, text: string, namespace: string | null): Promise<RunReadRow> {
  if (isUuid(text.toLowerCase())) {
    const [run] = await runsById(sql, [text.toLowerCase()])
    if (run !== undefined && (namespace === null || run.namespace === namespace)) return run
    throw noRun(text, namespace)
  }
  const found = await runsByReference(sql, { text, namespace, limit: 6 })
  const exact = found.filter((run) => run.exact)
  if (exact.length === 1) return exact[0]!
  const candidates = exact.length > 1 ? exact : text.length >= SHORTEST_PREFIX ? found : []
  if (candidates.length === 0) throw noRun(text, namespace)
  if (candidates.length === 1) return candidates[0]!
  const names = candidates.map((run) => `${run.namespace}/${run.name}`)
  throw fail('SW_AMBIGUOUS', `"${text}" could be ${names.join(', ')}`, { details: { candidates: names } })
}

/** The id of a run whose row may be gone: found as {@link findRun} does, else its whole id, or its name as the log has it. */
export async function loggedRunId(sql: Executor, reference: string, namespace: string | null): Promise<string> {
  try {
    return (await findRun(sql, reference, namespace)).run_id
  } catch (error) {
    if ((error as { ref?: string }).ref !== 'SW_NOT_FOUND') throw error
    if (isUuid(reference.toLowerCase())) return reference.toLowerCase()
    const ids = await createdRunIds(sql, reference)
    if (ids.length === 0) throw error
    if (ids.length === 1) return ids[0]!
    throw fail('SW_AMBIGUOUS', `the log has several runs "${reference}": ${ids.join(', ')}`, {
      details: { candidates: ids },
    })
  }
}

export function noRun(text: string, namespace: string | null): Error {
  const where = namespace === null ? '' : ` in namespace ${namespace}`
  return fail('SW_NOT_FOUND', `there is no run "${text}"${where}`, {
    details: { kind: 'runs', name: text },
    remedy: 'list them: stateward runs',
  })
}

/** The gate a reference means: its step_id, or `<run>.<step>` where the run is given as {@link findRun} takes it. */
export async function findGate(sql: Executor, text: string, namespace: string | null): Promise<GateDto> {
  if (isUuid(text.toLowerCase())) {
    const [gate] = await listGates(sql, { stepId: text.toLowerCase(), limit: 1 })
    if (gate !== undefined) return gate
    throw noGate(text)
  }
  // Names of runs and paths of steps may both hold dots: the first split that names a run and one of its gates wins.
  let ambiguous: unknown = null
  for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
    try {
      const run = await findRun(sql, text.slice(0, dot), namespace)
      const gates = await listGates(sql, { runId: run.run_id, limit: 1000 })
      // A step that was tried again has several gates; the last one counts.
      const gate = gates.findLast((each) => each.step === text.slice(dot + 1))
      if (gate !== undefined) return gate
    } catch (error) {
      const { ref } = error as { ref?: string }
      if (ref === 'SW_AMBIGUOUS') ambiguous = error
      else if (ref !== 'SW_NOT_FOUND') throw error
    }
  }
  throw ambiguous ?? noGate(text)
}

function noGate(text: string): Error {
  return fail('SW_NOT_FOUND', `no gate "${text}" is open or was decided`, {
    remedy:
      'name it by step_id or <run>.<step>; a gate exists once its run has reached it: stateward describe run <run>',
  })
}
