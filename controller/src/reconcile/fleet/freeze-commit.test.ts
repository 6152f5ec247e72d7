import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freezeMessage, nextFreezeStep, readFreezeCommit } from './freeze-commit.ts'

describe('a commit that freezes', () => {
  it('says why in its subject, and means the whole fleet', () => {
    expect(readFreezeCommit('runaway agents\n\nmore\n')).toEqual({
      asks: 'freeze',
      reason: 'runaway agents',
      actor: null,
    })
    expect(readFreezeCommit('found it\n\nStateward-Freeze: lift\n')).toMatchObject({ asks: 'lift' })
    expect(readFreezeCommit('x\n\nStateward-Freeze: project/web\n')).toBeNull()
    expect(readFreezeCommit('x\n\nStateward-Freeze: constructor\n')).toBeNull()
    expect(readFreezeCommit('Stateward-Freeze: lift\n')).toMatchObject({ asks: 'freeze' })
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ minLength: 1 })), fc.uuid(), (reason, correlation) => {
        const read = readFreezeCommit(freezeMessage({ actor: 'user:ada', reason, correlation }))
        expect(read).toMatchObject({ asks: 'freeze', actor: 'user:ada' })
      }),
    )
  })
})

describe('the ref and the rows', () => {
  const frozen = { frozen: true, commit: 'a' }
  const going = { frozen: false, commit: 'a' }
  const step = (seen: Partial<Parameters<typeof nextFreezeStep>[0]>) =>
    nextFreezeStep({ row: null, tip: null, isKnown: false, asks: null, ...seen }).do

  it('come to say the same', () => {
    expect(step({})).toBe('nothing')
    expect(step({ row: frozen, tip: 'a', isKnown: true, asks: 'freeze' })).toBe('nothing')
    expect(step({ row: { frozen: true, commit: null } })).toBe('write')
    expect(step({ row: going, tip: 'a', isKnown: true, asks: 'freeze' })).toBe('remove')
    expect(step({ row: going })).toBe('nothing')
  })

  it('are believed when somebody who may has signed', () => {
    expect(step({ tip: 'b', asks: 'freeze' })).toBe('freeze')
    expect(step({ row: going, tip: 'b', asks: 'freeze' })).toBe('freeze')
    expect(step({ row: frozen, tip: 'b', asks: 'lift' })).toBe('lift')
    expect(step({ row: { frozen: true, commit: null }, tip: 'b', asks: 'freeze' })).toBe('note')
    expect(step({ row: going, tip: 'b', asks: 'lift' })).toBe('remove')
  })

  it('hold when somebody takes the ref away, or has not signed it', () => {
    expect(step({ row: frozen })).toBe('write')
    expect(step({ tip: 'b' })).toBe('refuse')
    expect(step({ row: frozen, tip: 'b' })).toBe('refuse')
  })

  it('settle, whatever was there', () => {
    const tips = fc.option(fc.constantFrom('a', 'b'), { nil: null })
    fc.assert(
      fc.property(
        fc.option(fc.record({ frozen: fc.boolean(), commit: tips }), { nil: null }),
        tips,
        fc.constantFrom('freeze' as const, 'lift' as const, null),
        (first, at, asks) => {
          let row: { readonly frozen: boolean; readonly commit: string | null } | null = first
          let tip: string | null = at
          const known = new Set<string>(row?.commit === null || row === null ? [] : [row.commit])
          for (let n = 0; n < 6; n++) {
            const next = nextFreezeStep({
              row,
              tip,
              isKnown: tip !== null && known.has(tip),
              asks: tip === 'w' ? 'freeze' : asks,
            })
            if (next.do === 'nothing') break
            if (next.do === 'write') {
              tip = 'w'
              row = { frozen: true, commit: tip }
            }
            if (next.do === 'note') row = { frozen: true, commit: tip }
            if (next.do === 'freeze') row = { frozen: true, commit: tip }
            if (next.do === 'lift') row = { frozen: false, commit: tip }
            if (next.do === 'remove' || next.do === 'refuse') tip = null
            if (row?.commit != null) known.add(row.commit)
          }
          expect(tip === null).toBe(row?.frozen !== true)
          if (tip !== null) expect(row?.commit).toBe(tip)
        },
      ),
    )
  })
})
