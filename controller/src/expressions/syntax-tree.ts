/** A node of cel-js's syntax tree, as far as we read it: offsets count from the start of the expression's text. */
export interface SyntaxNode {
  readonly op: string
  readonly args: unknown
  readonly pos: number
  readonly start: number
  readonly end: number
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'start' in value
}

/** One `.name`, `.?name`, `["name"]` or `[?"name"]` of a path; `name` is null when the index is computed. */
export interface PathKey {
  readonly name: string | null
  readonly offset: number
  readonly optional: boolean
}

/** `steps.fix.output["x"]`: a variable and the keys after it. */
export interface Path {
  readonly root: string
  readonly offset: number
  readonly keys: readonly PathKey[]
}

const MEMBER = new Set(['.', '.?'])
const INDEX = new Set(['[]', '[?]'])
/** Macros whose first argument names a variable of the others. */
const BINDING_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind'])

function pathOf(node: SyntaxNode): { path: Path; indexes: SyntaxNode[] } | null {
  const keys: PathKey[] = []
  const indexes: SyntaxNode[] = []
  let at = node
  while (MEMBER.has(at.op) || INDEX.has(at.op)) {
    const [receiver, key] = at.args as [SyntaxNode, string | SyntaxNode]
    const optional = at.op === '.?' || at.op === '[?]'
    if (typeof key === 'string') keys.unshift({ name: key, offset: at.pos, optional })
    else {
      const constant = key.op === 'value' && typeof key.args === 'string' ? key.args : null
      keys.unshift({ name: constant, offset: key.start, optional })
      if (constant === null) indexes.push(key)
    }
    at = receiver
  }
  if (at.op !== 'id') return null
  return { path: { root: at.args as string, offset: at.start, keys }, indexes }
}

/** Calls `visit` for every path that starts at a variable of the scope (not at one bound by `map(x, …)` and the like). */
export function visitPaths(
  node: SyntaxNode,
  visit: (path: Path) => void,
  bound: ReadonlySet<string> = new Set(),
): void {
  const found = pathOf(node)
  if (found !== null) {
    if (!bound.has(found.path.root)) visit(found.path)
    for (const index of found.indexes) visitPaths(index, visit, bound)
    return
  }
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args as [string, SyntaxNode, SyntaxNode[]]
    const variable = args[0]
    if (BINDING_MACROS.has(name) && args.length > 1 && variable?.op === 'id') {
      visitPaths(receiver, visit, bound)
      const inner = new Set(bound).add(variable.args as string)
      for (const argument of args.slice(1)) visitPaths(argument, visit, inner)
      return
    }
  }
  visitEach(node.args, visit, bound)
}

function visitEach(args: unknown, visit: (path: Path) => void, bound: ReadonlySet<string>): void {
  if (isNode(args)) visitPaths(args, visit, bound)
  else if (Array.isArray(args)) for (const argument of args) visitEach(argument, visit, bound)
}
