import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../lib/json.ts'
import { checkTemplate } from './check-template.ts'
import { createScope } from './scope.ts'
import { parseTemplate, renderTemplate, renderTextTemplate } from './template.ts'

const values = { inputs: { host: 'web-1', port: 22, tags: ['a', 'b'], none: null, on: true } }

describe('renderTemplate', () => {
  test.each<[Json, Json]>([
    ['plain', 'plain'],
    ['{{ inputs.port }}', 22],
    ['{{inputs.tags}}', ['a', 'b']],
    ['{{ inputs.none }}', null],
    ['{{ inputs.host }}:{{ inputs.port }}', 'web-1:22'],
    [' {{ inputs.port }}', ' 22'],
    ['x {{ inputs.tags }} {{ inputs.none }} {{ inputs.on }}', 'x ["a","b"] null true'],
    ["{{ {'a': {'b': inputs.port}} }}", { a: { b: 22 } }],
    ["{{ {'a': {'b': inputs.port}}}}", { a: { b: 22 } }],
    ['{{ \'}}\' + "{{" }}', '}}{{'],
    ["{{ r'\\d' + '\\'}}' }}", "\\d'}}"],
    ["{{ '{{' }}", '{{'],
    ['}} { {', '}} { {'],
    [
      { a: ['{{ inputs.port }}', 1, null], b: 'x{{ inputs.port }}' },
      { a: [22, 1, null], b: 'x22' },
    ],
  ])('%j becomes %j', (template, rendered) => {
    expect(renderTemplate(template, values)).toEqual(rendered)
  })

  test('a value is never rendered again', () => {
    const inputs = { host: '{{ inputs.port }}' }
    expect(renderTemplate('{{ inputs.host }} {{ inputs.host }}', { inputs })).toBe(
      '{{ inputs.port }} {{ inputs.port }}',
    )
  })

  test('a text template always gives a text', () => {
    expect(renderTextTemplate('{{ inputs.port }}', values)).toBe('22')
    expect(renderTextTemplate('{{ inputs.tags }}', values)).toBe('["a","b"]')
  })

  test('a missing key fails with a remedy', () => {
    expect(() => renderTemplate('a {{ inputs.tags[7] }}', values)).toThrow('index')
    expect(() => renderTemplate('{{ inputs.host', values)).toThrow('no }}')
  })

  test('texts around any values come out as they were', () => {
    const text = fc.string().filter((s) => !s.includes('{') && !s.includes('}'))
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), fc.string(), (texts, host) => {
        expect(renderTemplate(texts.join('{{ inputs.host }}'), { inputs: { host } })).toBe(texts.join(host))
      }),
    )
  })

  test('no text makes the parser loop or lose characters', () => {
    const piece = fc.constantFrom('{{', '}}', '{', '}', "'", '"', "'''", '\\', 'r', '//', '\n', ' x ', '1')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const parsed = parseTemplate(text)
        if (!parsed.ok) return
        let at = 0
        for (const part of parsed.parts) {
          if ('text' in part) {
            expect(text.startsWith(part.text, at)).toBe(true)
            at += part.text.length
          } else {
            expect(part.start).toBe(at)
            expect(text.slice(part.offset, part.offset + part.expression.length)).toBe(part.expression)
            at = part.end
          }
        }
        expect(at).toBe(text.length)
      }),
    )
  })
})

describe('checkTemplate', () => {
  const scope = createScope({ inputs: { host: { type: 'string' } }, steps: { fix: null } })

  test('finds every problem with its pointer and its offset in the text', () => {
    const template = {
      a: 'restart {{ inputs.hots }} and {{ inputs.host + }}',
      b: ['{{ steps.fix.output }}', '{{ open'],
      '{{ inputs.host }}': 1,
      c: '{{ }}',
    }
    const { problems, mentions } = checkTemplate(template, scope, '/with')
    expect(problems.map(({ code, pointer, offset }) => [code, pointer, offset])).toEqual([
      ['SW_UNKNOWN_NAME', '/with/a', 18],
      ['SW_EXPRESSION_SYNTAX', '/with/a', 46],
      ['SW_TEMPLATE', '/with/b/1', 0],
      ['SW_TEMPLATE', '/with/{{ inputs.host }}', 0],
      ['SW_TEMPLATE', '/with/c', 0],
    ])
    expect([...mentions.steps]).toEqual(['fix'])
  })
})
