import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { EVENT_TYPES } from '../../src/events/catalogue.ts'

const sources = fileURLToPath(new URL('../../src/', import.meta.url))

/** `event_name: <what>` with a name of ours written out or put together. */
const EMITTED = /event_name: *\(?[^,;]*?(?<quote>['`])(?<name>stateward\.[^'`]*)\k<quote>(?<rest>[^,;]*)/gs

test('every name of ours that the code writes is checked against the catalogue by the compiler', () => {
  const emitted = globSync('**/*.ts', { cwd: sources, exclude: ['**/*.test.ts'] }).flatMap((file) =>
    [...readFileSync(`${sources}${file}`, 'utf8').matchAll(EMITTED)].map((match) => ({
      file,
      name: match.groups!['name']!,
      checked: match.groups!['rest']!.includes('satisfies EventName'),
    })),
  )
  expect(emitted.length).toBeGreaterThan(8)
  expect(emitted.filter(({ checked }) => !checked)).toEqual([])
  const written = emitted.filter(({ name }) => !name.includes('$'))
  expect(written.filter(({ name }) => !(name in EVENT_TYPES))).toEqual([])
})
