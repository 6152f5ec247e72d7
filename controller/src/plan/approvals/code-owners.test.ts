import { describe, expect, test } from 'vitest'
import { ownersOf, parseCodeOwners } from './code-owners.ts'

const TEXT = `# Stewards
*                    @ops            # whoever is on duty
/rules/              role:RuleSteward
prompts/**           role:prompt-steward @acme/writers
models/*.yaml        team:models ada@example.com
/docs/*              @docs
/docs/free.md
a\\ b.md              user:ada
`
const owners = parseCodeOwners('CODEOWNERS', TEXT)
const setsOf = (...paths: string[]) => ownersOf(owners, paths).map(({ fromAnyOf }) => fromAnyOf)

describe('a CODEOWNERS file', () => {
  test.each<[string, string[][]]>([
    ['agents/sre.yaml', [['user:ops']]],
    ['rules/deep/x.yaml', [['role:RuleSteward']]],
    ['prompts/sre.md', [['role:prompt-steward', 'team:writers']]],
    ['models/a.yaml', [['team:models', 'git:ada@example.com']]],
    ['models/deep/a.yaml', [['user:ops']]],
    ['docs/a.md', [['user:docs']]],
    ['docs/deep/a.md', [['user:ops']]],
    ['docs/free.md', []],
    ['a b.md', [['user:ada']]],
  ])('says for %s who owns it', (path, expected) => {
    expect(setsOf(path)).toEqual(expected)
  })

  test('asks each owner of several paths once', () => {
    expect(setsOf('rules/a.yaml', 'rules/b.yaml', 'docs/a.md')).toEqual([['role:RuleSteward'], ['user:docs']])
    expect(ownersOf(owners, ['rules/a.yaml'])[0]?.askedBy).toEqual({
      kind: 'path',
      file: 'CODEOWNERS',
      line: 3,
      pattern: '/rules/',
    })
  })

  test('tells the lines that nobody can read, and those own nothing', () => {
    const broken = parseCodeOwners('CODEOWNERS', '!x @a\n[ab].md @a\n/x nobody\n/y @a\n')
    expect(broken.problems.map(({ line }) => line)).toEqual([1, 2, 3])
    expect(broken.rules.map(({ line }) => line)).toEqual([4])
  })
})
