// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is about shell text
import { describe, expect, test } from 'vitest'
import { shellWord } from '../lib/shell-word.ts'
import { mapShellParameters, misplacedShellKeyword } from './shell-parameters.ts'
import { compileShellText, isShellText, shellArgv, shellLine } from './shell-template.ts'

function literalOf(template: string): string {
  const compiled = compileShellText(template)
  if (!compiled.ok) throw new Error(compiled.problem.message)
  return compiled.shell.literal
}

describe('compileShellText', () => {
  test.each([
    ['systemctl restart {{ inputs.service }}', 'systemctl restart "$1"'],
    ['a {{ x }} b{{ y }}c', 'a "$1" b"$2"c'],
    ['echo \'it is\' {{ x }} "and $HOME"', 'echo \'it is\' "$1" "and $HOME"'],
    ['echo "$(date "+%F")" {{ x }}', 'echo "$(date "+%F")" "$1"'],
    ['echo $(basename {{ x }})', 'echo $(basename "$1")'],
    ["# don't\necho {{ x }}", '# don\'t\necho "$1"'],
    ['cat <<EOF\nit\'s "\nEOF\necho {{ x }}', 'cat <<EOF\nit\'s "\nEOF\necho "$1"'],
    ["cat <<-'E'\n\tx\n\tE\necho {{ x }}", 'cat <<-\'E\'\n\tx\n\tE\necho "$1"'],
    ['echo \\"{{ x }}', 'echo \\""$1"'],
    ['echo ${HOME} $((1 << 2)) {{ x }}', 'echo ${HOME} $((1 << 2)) "$1"'],
    ['echo a#b {{ x }}', 'echo a#b "$1"'],
  ])('%s becomes %s', (template, literal) => {
    expect(literalOf(template)).toBe(literal)
  })

  test('the tenth value has its number in braces', () => {
    const template = `echo ${Array.from({ length: 11 }, (_, i) => `{{ x${i} }}`).join(' ')}`
    expect(literalOf(template)).toContain('"$9" "${10}" "${11}"')
  })

  test('a text without values is left alone, whatever it does', () => {
    const text = 'set -e; f() { eval "$1"; }; cat <<EOF\n$(x'
    expect(compileShellText(text)).toEqual({ ok: true, shell: { literal: text, args: [] } })
  })

  test.each([
    ["echo '{{ x }}'", 'single quotes'],
    ['echo "{{ x }}"', 'double quotes'],
    ['echo "a $(echo {{ x }})"', 'double quotes'],
    ['echo `echo {{ x }}`', 'backticks'],
    ['cat <<EOF\n{{ x }}\nEOF', 'a heredoc'],
    ['cat <<A \\\nA\n{{ x }}\nA', 'a heredoc'],
    ['cat <<{{ x }}', 'a heredoc'],
    ['cat <<E{{ x }}\nE', 'a heredoc'],
    ['cat <<E"O"F\nE\n{{ x }}\nEOF', 'a heredoc'],
    ['echo \\{{ x }}', 'a backslash'],
    ['echo ${{ x }}', 'a $'],
    ['echo ${a:-{{ x }}}', '${…}'],
    ['echo "${a:-\'}" {{ x }}', 'quotes inside ${…}'],
    ["echo $'a\\'' {{ x }}", "$'…'"],
    ['echo $(( {{ x }} + 1 ))', '$((…))'],
    ['# {{ x }}', 'a comment'],
  ])('%s is refused: the value would stand in %s', (template, inside) => {
    const compiled = compileShellText(template)
    expect(compiled).toMatchObject({
      ok: false,
      problem: { code: 'SW_SHELL_TEMPLATE', offset: template.indexOf('{{') },
    })
    expect(compiled.ok ? '' : compiled.problem.message).toContain(inside)
  })

  test.each([
    'f() { echo {{ x }}; }; f a',
    'set -- a; echo {{ x }}',
    'echo {{ x }}; shift ',
    'if eval {{ x }}; then :; fi',
    '(( {{ x }} > 1 ))',
    '[[ {{ x }} -eq 1 ]]',
    'unset {{ x }}',
    'trap {{ x }} EXIT',
    "echo {{ x }} 'open",
  ])('%s is refused', (template) => {
    expect(compileShellText(template)).toMatchObject({ ok: false, problem: { code: 'SW_SHELL_TEMPLATE' } })
  })

  test('a broken template is a template problem', () => {
    expect(compileShellText('echo {{ x')).toMatchObject({ ok: false, problem: { code: 'SW_TEMPLATE', offset: 5 } })
  })
})

describe('a rendered shell text', () => {
  test('becomes an argument vector in which a value is one word', () => {
    const shell = { literal: 'systemctl restart "$1"', args: ['nginx; touch pwned'] }
    expect(shellArgv(shell)).toEqual(['sh', '-c', 'systemctl restart "$1"', 'sh', 'nginx; touch pwned'])
    expect(shellLine(shell)).toBe(`sh -c 'systemctl restart "$1"' sh 'nginx; touch pwned'`)
    expect(shellArgv({ literal: 'x', args: [1, null, ['a'], true] }).slice(4)).toEqual(['1', 'null', '["a"]', 'true'])
    expect(() => shellArgv({ literal: 'x', args: ['a\0b'] })).toThrow('NUL')
  })

  test('a quoted word keeps its quotes', () => {
    expect(shellWord("it's")).toBe(`'it'\\''s'`)
    expect(shellWord('')).toBe("''")
    expect(shellWord('a/b-c.d')).toBe('a/b-c.d')
  })

  test('is recognised by its shape', () => {
    expect(isShellText({ literal: 'a', args: [] })).toBe(true)
    for (const value of ['a', null, { literal: 'a' }, { literal: 1, args: [] }, { literal: 'a', args: [], more: 1 }]) {
      expect(isShellText(value)).toBe(false)
    }
  })
})

describe('x-shell in an inputSchema', () => {
  const schema = {
    properties: {
      cmd: { type: 'string', 'x-shell': true },
      jobs: { items: { properties: { cmd: { 'x-shell': true } } } },
      env: { additionalProperties: { 'x-shell': true } },
    },
  }

  test('is found in properties, items and additional properties', () => {
    const found: string[] = []
    const value = { cmd: 'a', host: 'b', jobs: [{ cmd: 'c', id: 1 }, 'x'], env: { 'a/b': 'd' } }
    const mapped = mapShellParameters(schema, value, (v, pointer) => {
      found.push(pointer)
      return { was: v }
    })
    expect(found).toEqual(['/cmd', '/jobs/0/cmd', '/env/a~1b'])
    expect(mapped).toEqual({
      cmd: { was: 'a' },
      host: 'b',
      jobs: [{ cmd: { was: 'c' }, id: 1 }, 'x'],
      env: { 'a/b': { was: 'd' } },
    })
    expect(misplacedShellKeyword(schema)).toBeNull()
  })

  test('is reported where it would not be found', () => {
    expect(misplacedShellKeyword({ anyOf: [{ properties: { cmd: { 'x-shell': true } } }] })).toBe(
      '/anyOf/0/properties/cmd',
    )
    expect(misplacedShellKeyword({ properties: { a: { allOf: [{ 'x-shell': true }] } } })).toBe('/properties/a/allOf/0')
  })
})
