import { isObject, type JsonObject, valueAt } from '../../lib/json.ts'
import type { Finding } from './effect.ts'

interface Step {
  readonly path: string
  readonly fields: JsonObject
}

const PARAMETERS = ['temperature', 'top_p', 'max_tokens', 'seed'] as const

/** What models are asked, which ones and how: of steps that were there before. */
export function wordFindings(was: readonly Step[], is: readonly Step[]): Finding[] {
  const before = new Map(was.map(({ path, fields }) => [path, fields]))
  return is.flatMap(({ path, fields }): Finding[] => {
    const old = before.get(path)
    return old === undefined || old['kind'] !== fields['kind'] ? [] : changed(path, old, fields)
  })
}

function changed(path: string, before: JsonObject, after: JsonObject): Finding[] {
  const findings: Finding[] = []
  const [from, to] = [modelOf(before), modelOf(after)]
  if (from !== to) {
    const message = `step ${path} asks model ${to ?? 'of its agent'} instead of ${from ?? 'that of its agent'}`
    findings.push({ effect: 'model', risk: 'medium', message, ...names(from, to) })
  }
  if (before['prompt'] !== after['prompt'] || valueAt(before, '/with/prompt') !== valueAt(after, '/with/prompt'))
    findings.push({ effect: 'prompt', risk: 'medium', message: `the prompt of step ${path} says something else` })
  const tuned = PARAMETERS.flatMap((name) => {
    const [was, is] = [valueAt(before, `/with/${name}`), valueAt(after, `/with/${name}`)]
    return was === is || isObject(was) || isObject(is) ? [] : [`${name} ${said(was)} → ${said(is)}`]
  })
  if (tuned.length > 0) findings.push({ effect: 'model', risk: 'low', message: `step ${path}: ${tuned.join(', ')}` })
  return findings
}

function modelOf(step: JsonObject): string | null {
  const model = step['model'] ?? valueAt(step, '/with/model')
  return typeof model === 'string' ? model : null
}

function names(from: string | null, to: string | null) {
  return { ...(to === null ? {} : { gained: [to] }), ...(from === null ? {} : { lost: [from] }) }
}

function said(value: unknown): string {
  return value === undefined ? 'unset' : String(value)
}
