import type { Colors } from '../terminal.ts'
import { displayWidth } from './display-width.ts'
import { terminalText } from './inline-text.ts'
import { renderYaml } from './structured.ts'

/** `Name:  value` lines with the values below each other; a field without a value is left out. */
export function renderFields(
  fields: readonly (readonly [name: string, value: string | null | undefined])[],
  colors: Colors,
): string {
  const shown = fields.filter(([, value]) => value !== null && value !== undefined && value !== '')
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name))) + 3
  return shown
    .map(([name, value]) => {
      const [first = '', ...more] = terminalText(value!).split('\n')
      const label = `${name}:`
      const pad = ' '.repeat(width - displayWidth(label))
      return `${colors.bold(label)}${pad}${[first, ...more.map((line) => ' '.repeat(width) + line)].join('\n')}\n`
    })
    .join('')
}

/** A heading with text under it, moved in by two; nothing when the text is empty. */
export function renderSection(heading: string, body: string, colors: Colors): string {
  return body === '' ? '' : `\n${colors.bold(`${heading}:`)}\n${indent(body, 2)}`
}

/** A value as YAML, safe for a terminal; nothing for what is empty. */
export function renderValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object' && Object.keys(value).length === 0) return ''
  return terminalText(renderYaml(value))
}

export function indent(text: string, by: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(by))
}
