/** Providers take names of tools of letters, digits, `_` and `-`; ours have dots. */
export interface ToolNames {
  /** As the provider has it. */
  readonly sent: (tool: string) => string
  /** As we have it; a name that nobody offered comes back as it is. */
  readonly ours: (sent: string) => string
}

const MOST = 64

/** Two tools never share a name, whatever they are called. */
export function toolNames(tools: readonly string[]): ToolNames {
  const bySent = new Map<string, string>()
  const byOurs = new Map<string, string>()
  for (const tool of tools) {
    const plain = tool.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MOST)
    let sent = plain
    for (let i = 2; bySent.has(sent); i++) sent = `${plain.slice(0, MOST - 3)}_${i}`
    bySent.set(sent, tool)
    byOurs.set(tool, sent)
  }
  const sentOf = (tool: string) => byOurs.get(tool) ?? tool.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MOST)
  return { sent: sentOf, ours: (sent) => bySent.get(sent) ?? sent }
}
