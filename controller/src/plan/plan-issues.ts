import { isFromCluster } from '../kinds/cluster-origin.ts'
import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'
import type { Change } from './change-set.ts'
import { findCycles } from './cycles.ts'
import { type DesiredState, targetKey } from './desired-state.ts'
import type { Edges } from './edges.ts'
import { issueOf } from './evaluate.ts'

const MAX_CYCLE_SHOWN = 10

/** The objects that depend on themselves, with an issue for each. */
export function cyclicKeys(
  scope: ReadonlySet<ObjectKey>,
  desired: DesiredState,
  edges: Edges,
  issues: Issue[],
): ReadonlySet<ObjectKey> {
  const cyclic = new Set<ObjectKey>()
  for (const cycle of findCycles(scope, edges)) {
    const shown =
      cycle.length > MAX_CYCLE_SHOWN
        ? [...cycle.slice(0, MAX_CYCLE_SHOWN), `… ${cycle.length - MAX_CYCLE_SHOWN} more`]
        : cycle
    const text = [...shown, cycle[0]!].join(' → ')
    for (const [i, key] of cycle.entries()) {
      cyclic.add(key)
      const resource = desired.get(key)?.resource
      if (resource === undefined) continue
      const next = cycle[(i + 1) % cycle.length]!
      const reference = (kindOf(resource.kind)?.references(resource.spec) ?? []).find(
        (ref) => targetKey(ref.kind, resource.namespace, ref.name) === next,
      )
      issues.push(
        issueOf(
          {
            code: 'SW_DEPENDENCY_CYCLE',
            pointer: reference?.pointer ?? '',
            message: `it depends on itself: ${text}`,
            hint: 'remove one of these references',
          },
          resource,
        ),
      )
    }
  }
  return cyclic
}

export function duplicateIssue(resource: Resource, all: readonly Resource[]): Issue {
  const others = all.filter((other) => other !== resource).map((other) => other.origin.file)
  if (all.some(({ origin }) => isFromCluster(origin.file)) && all.some(({ origin }) => !isFromCluster(origin.file)))
    return sourceConflict(resource, others)
  return issueOf(
    {
      code: 'SW_DUPLICATE_OBJECT',
      pointer: '/metadata/name',
      message: `${keyOf(resource)} is also declared in ${[...new Set(others)].join(', ')}`,
      hint: 'keep one of the documents',
    },
    resource,
  )
}

/** Neither wins: whoever takes one of the two away decides. */
function sourceConflict(resource: Resource, others: readonly string[]): Issue {
  const { kind, namespace, name, origin } = resource
  const inGit = (isFromCluster(origin.file) ? others : [origin.file]).filter((file) => !isFromCluster(file)).join(', ')
  const where = namespace === '' ? '' : ` -n ${namespace}`
  return issueOf(
    {
      code: 'SW_SOURCE_CONFLICT',
      pointer: '/metadata/name',
      message: `${keyOf(resource)} is declared in ${inGit} and in the cluster: neither is applied`,
      hint: `keep one: remove the document, or kubectl delete ${kind.toLowerCase()}.stateward.dev ${name}${where}`,
    },
    resource,
  )
}

/** What would only be odd in a file of somebody else is an error where objects were applied from it. */
export function withSpoiledFiles(
  issues: readonly Issue[],
  changes: ReadonlyMap<ObjectKey, Change>,
  desired: DesiredState,
): Issue[] {
  const spoiled = new Set(
    [...changes.values()].flatMap(({ action, file }) =>
      action === 'blocked' && file !== undefined && desired.file(file)?.unreadable === true ? [file] : [],
    ),
  )
  return issues.map((issue) =>
    issue.file !== undefined && issue.object === undefined && spoiled.has(issue.file)
      ? {
          ...issue,
          severity: 'error',
          hint: `${remedyOf(issue)}; what was applied from it keeps its last good revision`,
        }
      : issue,
  )
}

function remedyOf(issue: Issue): string {
  return issue.code === 'SW_FOREIGN_UNREADABLE' ? 'correct it' : issue.hint
}
