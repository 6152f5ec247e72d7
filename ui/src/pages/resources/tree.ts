import type { AgentInstance, ListedObject } from '../../api/reads.ts'

export type Standing = 'True' | 'False' | 'Unknown' | 'Suspended'

export type TreeNode = SourceNode | FileNode | ObjectNode | InstanceNode
interface Shared {
  readonly id: string
  readonly depth: number
  readonly label: string
  /** How many nodes hang below it at once. */
  readonly children: number
  readonly isOpen: boolean
}
export interface SourceNode extends Shared {
  readonly type: 'source'
  /** The Source itself, where it is declared. */
  readonly object: ListedObject | null
  readonly tally: Tally
}
export interface FileNode extends Shared {
  readonly type: 'file'
  readonly tally: Tally
}
export interface ObjectNode extends Shared {
  readonly type: 'object'
  readonly object: ListedObject
}
export interface InstanceNode extends Shared {
  readonly type: 'instance'
  readonly instance: AgentInstance
}

export interface Tally {
  readonly total: number
  readonly failing: number
  readonly pending: number
}

/** How an object stands, in one word. */
export function standingOf({ ready, conditions }: Pick<ListedObject, 'ready' | 'conditions'>): Standing {
  const suspended = conditions.some(({ type, status }) => type === 'Suspended' && status === 'True')
  return suspended && ready !== 'False' ? 'Suspended' : ready
}

/**
 * What owns what, as rows: a source, its files, what each declares, and the instances of agents. `isOpen` says whether the rows
 * below a node are shown. Pure.
 */
export function treeRows(
  objects: readonly ListedObject[],
  instances: ReadonlyMap<string, readonly AgentInstance[]>,
  isOpen: (id: string, depth: number) => boolean,
): readonly TreeNode[] {
  const sources = new Map(objects.filter(({ kind }) => kind === 'Source').map((object) => [object.name, object]))
  const owned = Map.groupBy(
    // A Source stands at the root of what it declares, not inside of it.
    objects.filter(
      ({ kind, name, source }) => kind !== 'Source' || (source !== '' && source !== name && !sources.has(name)),
    ),
    ({ source }) => source,
  )
  for (const name of sources.keys()) if (!owned.has(name)) owned.set(name, [])
  return [...owned]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([name, its]) => sourceRows(name, sources.get(name) ?? null, its, instances, isOpen))
}

type IsOpen = (id: string, depth: number) => boolean
type Instances = ReadonlyMap<string, readonly AgentInstance[]>

function sourceRows(
  name: string,
  object: ListedObject | null,
  its: readonly ListedObject[],
  instances: Instances,
  isOpen: IsOpen,
): TreeNode[] {
  const id = `source ${name}`
  const files = [...Map.groupBy(its, ({ file }) => file)].sort(([a], [b]) => compare(a, b))
  const open = isOpen(id, 0)
  const own: SourceNode = {
    ...{ type: 'source', id, depth: 0, label: name, children: files.length, isOpen: open, object },
    tally: tallyOf(its),
  }
  if (!open) return [own]
  return [
    own,
    ...files.flatMap(([file, declared]) => {
      // What agents spawned stands in no file.
      if (file === '' || file.startsWith('(')) return objectRows(declared, 1, instances, isOpen)
      const fileId = `file ${name} ${file}`
      const fileOpen = isOpen(fileId, 1)
      const node: FileNode = {
        ...{ type: 'file', id: fileId, depth: 1, label: file, children: declared.length, isOpen: fileOpen },
        tally: tallyOf(declared),
      }
      return fileOpen ? [node, ...objectRows(declared, 2, instances, isOpen)] : [node]
    }),
  ]
}

function objectRows(objects: readonly ListedObject[], depth: number, instances: Instances, isOpen: IsOpen): TreeNode[] {
  return objects
    .toSorted((a, b) => a.document - b.document || compare(a.kind, b.kind) || compare(a.name, b.name))
    .flatMap((object) => {
      const running = object.kind === 'Agent' ? (instances.get(`${object.namespace}/${object.name}`) ?? []) : []
      const id = `object ${object.uid}`
      const open = running.length > 0 && isOpen(id, depth)
      const node: ObjectNode = {
        ...{ type: 'object', id, depth, label: object.name, children: running.length, isOpen: open, object },
      }
      if (!open) return [node]
      return [
        node,
        ...running.map(
          (instance): InstanceNode => ({
            ...{
              type: 'instance',
              id: `instance ${instance.instance_id}`,
              depth: depth + 1,
              children: 0,
              isOpen: false,
            },
            ...{ label: `${object.name}-${instance.ordinal}`, instance },
          }),
        ),
      ]
    })
}

export function tallyOf(objects: readonly ListedObject[]): Tally {
  return {
    total: objects.length,
    failing: objects.filter((object) => standingOf(object) === 'False').length,
    pending: objects.filter((object) => standingOf(object) === 'Unknown').length,
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
