// Waves of work: everything of a wave can be done at the same time, once the waves before it are done.

export function orchestrate({ items }) {
  if (!Array.isArray(items) || items.length === 0)
    throw new Error('inputs.items has to be a list of {name, depends_on}')
  const waiting = new Map(items.map(({ name, depends_on: needs = [] }) => [name, new Set(needs)]))
  if (waiting.size < items.length) throw new Error('two items have the same name')
  for (const [name, needs] of waiting)
    for (const need of needs) if (!waiting.has(need)) throw new Error(`${name} depends on ${need}, which is no item`)
  const waves = []
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([name]) => name)
    if (ready.length === 0) throw new Error(`these wait for each other: ${[...waiting.keys()].join(', ')}`)
    for (const name of ready) waiting.delete(name)
    for (const needs of waiting.values()) for (const name of ready) needs.delete(name)
    waves.push(ready)
  }
  return { waves, summary: `${items.length} items in ${waves.length} waves` }
}
