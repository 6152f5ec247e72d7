/** An agent with who stands above it. */
export interface AgentParent {
  /** `agent:<namespace>/<name>` */
  readonly principal: string
  readonly parent: string | null
}

/** Agents above some agents, up `parentRef`, and those below them; a cycle ends where it began. */
export function agentLineage(
  of: readonly string[],
  agents: readonly AgentParent[],
): { readonly above: readonly string[]; readonly below: readonly string[] } {
  const parentOf = new Map(agents.map(({ principal, parent }) => [principal, parent]))
  const children = Map.groupBy(agents, ({ parent }) => parent)
  const above = new Set<string>()
  for (const start of of) {
    for (let at = parentOf.get(start) ?? null; at !== null && !above.has(at); at = parentOf.get(at) ?? null)
      above.add(at)
  }
  const below = new Set<string>(of)
  const queue = [...of]
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const { principal } of children.get(at) ?? []) {
      if (below.has(principal)) continue
      below.add(principal)
      queue.push(principal)
    }
  }
  for (const start of of) below.delete(start)
  return { above: [...above], below: [...below] }
}
