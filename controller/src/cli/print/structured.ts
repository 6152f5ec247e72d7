import { dump } from 'js-yaml'
import type { KindRow } from '../../kinds/kind-row.ts'
import type { ObjectView } from '../../kinds/resource.ts'

/** kubectl's List of objects; one object that was asked for by name stands alone. */
export function documentOf(objects: readonly unknown[], single: boolean, resourceVersion: string): unknown {
  if (single && objects.length === 1) return objects[0]
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion }, items: objects }
}

export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

export function renderYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true })
}

/** A value as `-o` asks for it; null for any other way to print. */
export function renderDocument(output: unknown, value: unknown): string | null {
  if (output === 'json') return renderJson(value)
  return output === 'yaml' ? renderYaml(value) : null
}

/** `agent.stateward.dev/sre`, one a line. */
export function renderNames(kind: KindRow, objects: readonly ObjectView[]): string {
  return objects.map((object) => `${kind.singular}.stateward.dev/${object.metadata.name}\n`).join('')
}
