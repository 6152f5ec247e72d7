import { describe, expect, test } from 'vitest'
import { validateSpec } from '../kinds/validate.ts'
import { parseDuration } from '../lib/duration.ts'
import { schemaProblem } from '../lib/json-schema.ts'
import { builtinToolObjects } from './builtin-objects.ts'
import { BUILTIN_TOOLS, builtinToolSchema, findBuiltin } from './builtins.ts'

describe('the built-in tools', () => {
  test('have names and aliases of their own, sound schemas and timeouts', () => {
    const names = BUILTIN_TOOLS.flatMap((tool) => [tool.name, ...tool.aliases])
    expect(new Set(names).size).toBe(names.length)
    for (const tool of BUILTIN_TOOLS) {
      expect(schemaProblem(tool.inputSchema)).toBeNull()
      expect(schemaProblem(tool.outputSchema)).toBeNull()
      expect(parseDuration(tool.timeout)).toBeGreaterThan(0)
    }
  })

  test('are found by name and alias', () => {
    expect(findBuiltin('http_call')?.name).toBe('http.call')
    expect(builtinToolSchema('fs_write')).toBe(findBuiltin('fs.write')?.inputSchema)
    expect(builtinToolSchema('no.tool')).toBeNull()
  })

  test('show as objects that say what a Tool says, but for the executor nobody may write', () => {
    const objects = builtinToolObjects('default', '2026-01-02T03:04:05.678Z')
    expect(objects.map((object) => object.metadata.name)).toEqual(BUILTIN_TOOLS.map((tool) => tool.name))
    for (const { spec, metadata } of objects) {
      expect(metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
      const written = validateSpec('Tool', { ...spec, executor: { command: { command: ['x'] } }, aliases: [] })
      expect(written).toEqual([])
    }
    expect(builtinToolObjects('default', 'x')[0]!.metadata.uid).toBe(objects[0]!.metadata.uid)
  })
})
