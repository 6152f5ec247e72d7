import { isObject, type Json, pointerToken } from '../lib/json.ts'
import { compileExpression } from './compile-expression.ts'
import type { ExpressionProblem, Mentions } from './problem.ts'
import type { Scope } from './scope.ts'
import { hasTemplate, parseTemplate } from './template.ts'

/** A problem inside a JSON value: `pointer` leads to the text, `offset` into it. */
interface TemplateProblem extends ExpressionProblem {
  readonly pointer: string
}

export interface CheckedTemplate {
  readonly problems: readonly TemplateProblem[]
  readonly mentions: Mentions
}

/** Checks every `{{ }}` of a JSON value against a scope and collects which steps and inputs they name. Keys take no `{{ }}`. */
export function checkTemplate(template: Json, scope: Scope, pointer: string): CheckedTemplate {
  const problems: TemplateProblem[] = []
  const steps = new Set<string>()
  const inputs = new Set<string>()

  const checkText = (text: string, at: string) => {
    if (!hasTemplate(text)) return
    const parsed = parseTemplate(text)
    if (!parsed.ok) {
      problems.push({ ...parsed.problem, pointer: at })
      return
    }
    for (const part of parsed.parts) {
      if ('text' in part) continue
      const compiled = compileExpression(part.expression, scope)
      if (compiled.ok) {
        for (const id of compiled.mentions.steps) steps.add(id)
        for (const name of compiled.mentions.inputs) inputs.add(name)
      } else problems.push({ ...compiled.problem, offset: part.offset + compiled.problem.offset, pointer: at })
    }
  }

  const walk = (value: Json, at: string) => {
    if (typeof value === 'string') checkText(value, at)
    else if (Array.isArray(value))
      value.forEach((item, i) => {
        walk(item, `${at}/${i}`)
      })
    else if (isObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        const place = `${at}/${pointerToken(key)}`
        if (hasTemplate(key)) {
          problems.push({
            code: 'SW_TEMPLATE',
            message: 'a key cannot hold {{ }}',
            hint: 'use {{ }} in values only',
            pointer: place,
            offset: 0,
          })
        }
        walk(member as Json, place)
      }
    }
  }
  walk(template, pointer)
  return { problems, mentions: { steps, inputs } }
}
