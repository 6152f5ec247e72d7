import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayWidth, padEnd, truncate } from './display-width.ts'
import { inlineText, terminalText } from './inline-text.ts'
import { columnWidths, renderTable } from './table.ts'

const COLUMNS = [{ head: 'Name' }, { head: 'Status', shrinks: true }, { head: 'Age' }]

describe('renderTable', () => {
  it('puts columns below each other, also with wide characters', () => {
    expect(
      renderTable(
        COLUMNS,
        [
          ['a', 'ok', '1s'],
          ['日本', '好', '12m'],
        ],
        { width: null },
      ),
    ).toBe('NAME   STATUS   AGE\na      ok       1s\n日本   好       12m\n')
  })

  it('lets the column that may shrink give way to the width of the terminal', () => {
    const text = renderTable(COLUMNS, [['a', 'a very long status that does not fit', '1s']], { width: 40 })
    expect(text.split('\n')[1]).toBe('a      a very long status that do…   1s')
    expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(40)
  })

  it('colours cells without moving them', () => {
    const style = (cell: string, column: number, isHead: boolean) => (column === 0 && !isHead ? `<${cell}>` : cell)
    expect(renderTable(COLUMNS, [['a', 'b', 'c']], { width: null, style })).toBe(
      'NAME   STATUS   AGE\n<a>      b        c\n',
    )
  })

  it('prints later rows below the first ones', () => {
    const minWidths = columnWidths(COLUMNS, [['a-long-name', 'x', '1s']])
    expect(renderTable(COLUMNS, [['b', 'y', '2s']], { width: null, minWidths, withHead: false })).toBe(
      'b             y        2s\n',
    )
  })
})

describe('text of others', () => {
  it('cannot move the cursor, change colours, or turn the direction of writing', () => {
    expect(inlineText('a\r\n  b\u001b[31mc\u202ed\te')).toBe('a b\\u001b[31mc\\u202ed e')
    expect(terminalText('a\n\tb\u0007')).toBe('a\n\tb\\u0007')
  })

  it('never fills more places than it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, width) => {
        const shown = truncate(inlineText(text), width)
        expect(displayWidth(shown)).toBeLessThanOrEqual(width)
        expect(displayWidth(padEnd(shown, width))).toBe(Math.max(width, displayWidth(shown)))
      }),
    )
  })
})
