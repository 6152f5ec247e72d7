import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closest } from './closest.ts'

test.each([
  ['replics', ['runtime', 'replicas', 'resources'], 'replicas'],
  ['agent', ['Agent', 'AgentTemplate'], 'Agent'],
  ['Agnet', ['Agent', 'Budget'], 'Agent'],
  ['x', ['y'], 'y'],
  ['timeout', ['interval'], undefined],
  ['', ['a'], 'a'],
  ['anything', [], undefined],
])('the nearest to %j among %j is %j', (word, candidates, nearest) => {
  expect(closest(word, candidates)).toBe(nearest)
})

test('a word that is there is its own nearest, and one letter more or less finds it again', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(11), (word, at) => {
      expect(closest(word, ['0000', word])).toBe(word)
      expect(closest(word.slice(0, at) + word.slice(at + 1), ['0000', word])).toBe(word)
      expect(closest(`${word.slice(0, at)}q${word.slice(at)}`, ['0000', word])).toBe(word)
    }),
  )
})
