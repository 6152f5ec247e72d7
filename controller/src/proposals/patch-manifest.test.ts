import fc from 'fast-check'
import { dump, load, loadAll } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { mergePatch } from '../lib/merge-patch.ts'
import { patchManifest, removeDocument } from './patch-manifest.ts'

const TWO = `# the first
kind: A
spec:
  replicas: 1 # one is enough
  tags: [a, b]
---
kind: B # the second
spec: {x: 1}
`

describe('a patch of a manifest', () => {
  it('changes what it names and keeps comments, order and the other document', () => {
    const edited = patchManifest(TWO, 0, {
      spec: { replicas: 2, tags: null, runtime: { process: { command: ['a'] } } },
    })
    expect(edited).toContain('# the first')
    expect(edited).toContain('replicas: 2 # one is enough')
    expect(edited).toContain('kind: B # the second')
    expect(loadAll(edited!)).toEqual([
      { kind: 'A', spec: { replicas: 2, runtime: { process: { command: ['a'] } } } },
      { kind: 'B', spec: { x: 1 } },
    ])
    expect(loadAll(patchManifest(TWO, 1, { spec: { x: null, y: { z: null, n: 1 } } })!)[1]).toEqual({
      kind: 'B',
      spec: { y: { n: 1 } },
    })
  })

  it('that changes nothing is nothing', () => {
    expect(patchManifest(TWO, 0, { spec: { replicas: 1, gone: null } })).toBeNull()
  })

  it('does what a JSON merge patch does, whatever is patched', () => {
    const key = fc.stringMatching(/^[a-z]{1,3}$/)
    const { value: any } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }))
    const map = fc.dictionary(key, any, { maxKeys: 4 })
    fc.assert(
      fc.property(map, map, (document, patch) => {
        const [from, change] = [document, patch].map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)
        const edited = patchManifest(dump(from), 0, change!)
        const wanted = mergePatch(from!, change!)
        if (edited === null) expect(wanted).toEqual(from)
        else expect(load(edited)).toEqual(wanted)
      }),
    )
  })
})

describe('a document', () => {
  it('is taken out of its file, or the file goes with the last one', () => {
    expect(loadAll(removeDocument(TWO, 0)!)).toEqual([{ kind: 'B', spec: { x: 1 } }])
    const rest = removeDocument(TWO, 1)
    expect(loadAll(rest!)).toEqual([{ kind: 'A', spec: { replicas: 1, tags: ['a', 'b'] } }])
    expect(removeDocument(rest!, 0)).toBeNull()
  })
})
