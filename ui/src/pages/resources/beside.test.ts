import { describe, expect, it } from 'vitest'
import type { Host, Tool } from '../../api/reads.ts'
import { type BesideFilter, besideRows } from './beside.ts'

const tools = [
  { name: 'git.diff', description: 'What differs.', builtin: true },
  { name: 'artifact.put', description: 'Keeps a file.', builtin: true },
  { name: 'ssh.run', description: 'Declared.', builtin: false },
] as Tool[]
const hosts = [
  { name: 'local', ready: true, message: 'it runs agents' },
  { name: 'rack-1', ready: false, message: 'silent' },
] as Host[]
const ANY: BesideFilter = { q: '', kind: '', standing: '' }
const shape = (filter: Partial<BesideFilter>, isOpen = true) =>
  besideRows(tools, hosts, new Set(['local']), { ...ANY, ...filter }, () => isOpen).map(
    ({ type, label }) => `${type} ${label}`,
  )

describe('what nobody declared', () => {
  it('is tools that are built in, and hosts that joined', () => {
    expect(shape({})).toEqual([
      'group Tools that are built in',
      'beside artifact.put',
      'beside git.diff',
      'group Hosts that joined, and are not declared',
      'beside rack-1',
    ])
    expect(shape({}, false)).toEqual(['group Tools that are built in', 'group Hosts that joined, and are not declared'])
  })

  it('is filtered as everything else', () => {
    expect(shape({ q: 'GIT' })).toEqual(['group Tools that are built in', 'beside git.diff'])
    expect(shape({ kind: 'Host' })).toEqual(['group Hosts that joined, and are not declared', 'beside rack-1'])
    expect(shape({ standing: 'not-ready' })).toEqual(['group Hosts that joined, and are not declared', 'beside rack-1'])
    expect(shape({ standing: 'drifted' })).toEqual([])
    expect(shape({ kind: 'Agent' })).toEqual([])
  })
})
