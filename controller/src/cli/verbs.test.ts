import { expect, it } from 'vitest'
import { VERBS } from './verbs.ts'

it('names the arguments of every verb by one word each', async () => {
  const wrong: string[] = []
  for (const { name, load } of VERBS) {
    const { verb } = await load()
    if (!/^(?:(?:\[[^\s\]]+\]|<[^\s>]+>)(?: |$))*$/.test(verb.arguments ?? '')) wrong.push(`${name} ${verb.arguments}`)
  }
  expect(wrong).toEqual([])
})
