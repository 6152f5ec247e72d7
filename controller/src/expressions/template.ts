import { fail } from '../lib/error-catalogue.ts'
import { isObject, type Json } from '../lib/json.ts'
import { evaluateExpression } from './evaluate.ts'
import type { ExpressionProblem } from './problem.ts'
import type { ExpressionValues } from './values.ts'

/** A piece of a template: text as it is, or a CEL text with its offset in the template. `start` and `end` enclose the braces. */
type TemplatePart =
  | { readonly text: string }
  | { readonly expression: string; readonly offset: number; readonly start: number; readonly end: number }

export type ParsedTemplate =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly problem: ExpressionProblem }

export function hasTemplate(text: string): boolean {
  return text.includes('{{')
}

/** Index of the `}}` that closes an expression: not one inside a CEL string, a comment or the braces of a map. -1 without one. */
function endOfExpression(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    const c = text[i]!
    if (c === '"' || c === "'") {
      i = endOfString(text, i)
      if (i < 0) return -1
    } else if (c === '/' && text[i + 1] === '/') {
      const newline = text.indexOf('\n', i)
      if (newline < 0) return -1
      i = newline
    } else if (c === '{') depth++
    else if (c === '}') {
      if (depth > 0) depth--
      else if (text[i + 1] === '}') return i
    }
  }
  return -1
}

/** Index of the last character of the CEL string that starts here; -1 when it never ends. A backslash hides a quote in raw strings, too. */
function endOfString(text: string, at: number): number {
  const quote = text[at]!
  const delimiter = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote
  for (let i = at + delimiter.length; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text.startsWith(delimiter, i)) return i + delimiter.length - 1
  }
  return -1
}

function problem(message: string, hint: string, offset: number): ParsedTemplate {
  return { ok: false, problem: { code: 'SW_TEMPLATE', message, hint, offset } }
}

/** Splits a string at its `{{ … }}`. A literal `{{` is written `{{ '{{' }}`. */
export function parseTemplate(text: string): ParsedTemplate {
  const parts: TemplatePart[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf('{{', at)
    if (start < 0) break
    const close = endOfExpression(text, start + 2)
    if (close < 0) return problem('this {{ has no }}', "close it; a literal {{ is written {{ '{{' }}", start)
    const inner = text.slice(start + 2, close)
    const expression = inner.trim()
    if (expression === '')
      return problem('this {{ }} is empty', 'write an expression, for example {{ inputs.host }}', start)
    if (start > at) parts.push({ text: text.slice(at, start) })
    parts.push({ expression, offset: start + 2 + inner.indexOf(expression), start, end: close + 2 })
    at = close + 2
  }
  if (at < text.length) parts.push({ text: text.slice(at) })
  return { ok: true, parts }
}

/** How a value reads inside a text: strings as they are, everything else as JSON. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function renderText(text: string, values: ExpressionValues): Json {
  if (!hasTemplate(text)) return text
  const parsed = parseTemplate(text)
  if (!parsed.ok)
    throw fail('SW_EXPRESSION_FAILED', `${parsed.problem.message}: ${text}`, { remedy: parsed.problem.hint })
  const [first] = parsed.parts
  if (parsed.parts.length === 1 && first !== undefined && 'expression' in first)
    return evaluateExpression(first.expression, values)
  return parsed.parts
    .map((part) => ('text' in part ? part.text : textOf(evaluateExpression(part.expression, values))))
    .join('')
}

/**
 * Fills every `{{ }}` of a JSON value; object keys are left alone. A string that is exactly one `{{ }}` becomes the value itself, with
 * its type; otherwise the parts are joined as text. Rendered values are never rendered again. Throws SW_EXPRESSION_FAILED.
 */
export function renderTemplate(template: Json, values: ExpressionValues): Json {
  if (typeof template === 'string') return renderText(template, values)
  if (Array.isArray(template)) return template.map((item) => renderTemplate(item, values))
  if (isObject(template)) {
    return Object.fromEntries(
      Object.entries(template).map(([key, member]) => [key, renderTemplate(member as Json, values)]),
    )
  }
  return template
}

/** {@link renderTemplate} of a text that has to stay a text: prompts, messages, dedupe keys. */
export function renderTextTemplate(template: string, values: ExpressionValues): string {
  return textOf(renderText(template, values))
}
