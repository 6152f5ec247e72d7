import type { Host, Tool } from '../../api/reads.ts'

/** Something that is there without anybody having declared it. */
export interface BesideNode {
  readonly type: 'beside'
  readonly id: string
  readonly depth: 1
  readonly label: string
  readonly children: 0
  readonly isOpen: false
  readonly kind: 'Tool' | 'Host'
  readonly message: string
  readonly isReady: boolean
  /** Below `/ui`; null where nothing more is known. */
  readonly href: string | null
}

export interface GroupNode {
  readonly type: 'group'
  readonly id: string
  readonly depth: 0
  readonly label: string
  readonly children: number
  readonly isOpen: boolean
}

export interface BesideFilter {
  readonly q: string
  /** Empty: any. */
  readonly kind: string
  /** As the filter of the page says it. Empty: any. */
  readonly standing: string
}

/**
 * What stands beside the sources, as rows: tools that are built in, and hosts that joined without being declared. Pure.
 */
export function besideRows(
  tools: readonly Tool[],
  hosts: readonly Host[],
  declaredHosts: ReadonlySet<string>,
  filter: BesideFilter,
  isOpen: (id: string) => boolean,
): readonly (GroupNode | BesideNode)[] {
  const nodes: BesideNode[] = [
    ...tools
      .filter(({ builtin }) => builtin)
      .map(({ name, description }) => nodeOf('Tool', name, { message: description, isReady: true, href: null })),
    ...hosts
      .filter(({ name }) => !declaredHosts.has(name))
      .map(({ name, ready, message }) =>
        nodeOf('Host', name, { message, isReady: ready, href: `/hosts/${encodeURIComponent(name)}` }),
      ),
  ].filter((node) => matches(node, filter))
  return [
    ...groupRows('Tools that are built in', 'Tool', nodes, isOpen),
    ...groupRows('Hosts that joined, and are not declared', 'Host', nodes, isOpen),
  ]
}

function nodeOf(
  kind: BesideNode['kind'],
  label: string,
  rest: Pick<BesideNode, 'message' | 'isReady' | 'href'>,
): BesideNode {
  return { type: 'beside', id: `beside ${kind} ${label}`, depth: 1, label, children: 0, isOpen: false, kind, ...rest }
}

function matches({ kind, label, isReady }: BesideNode, filter: BesideFilter): boolean {
  const { q, kind: asked, standing } = filter
  return (
    (asked === '' || asked === kind) &&
    `${kind} ${label}`.toLowerCase().includes(q.toLowerCase()) &&
    (standing === '' || (standing === 'ready' && isReady) || (standing === 'not-ready' && !isReady))
  )
}

function groupRows(
  label: string,
  kind: BesideNode['kind'],
  nodes: readonly BesideNode[],
  isOpen: (id: string) => boolean,
): readonly (GroupNode | BesideNode)[] {
  const its = nodes.filter((node) => node.kind === kind).toSorted((a, b) => (a.label < b.label ? -1 : 1))
  if (its.length === 0) return []
  const id = `group ${kind}`
  const group: GroupNode = { type: 'group', id, depth: 0, label, children: its.length, isOpen: isOpen(id) }
  return group.isOpen ? [group, ...its] : [group]
}
