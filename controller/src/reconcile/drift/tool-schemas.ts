import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { DriftCaller, DriftSource, Proposed } from './ports.ts'

/**
 * Tools of an McpServer that are not what their Tools pin. Such a tool is not called, which is all that can be enforced of a
 * server that somebody else runs; adopting proposes what it offers now, in the file that locks its tools.
 */
export function toolSchemaDrift(
  lock: (
    server: { readonly namespace: string; readonly name: string },
    caller: DriftCaller,
  ) => Promise<Proposed | null>,
): DriftSource {
  return {
    name: 'tool-schema',
    cannotEnforce:
      'the server is not ours: the tool is not called until it is again what was merged, or its new schema is',
    find({ object, fields }) {
      if (object.kind !== 'McpServer') return []
      return changedOf(fields['tools'] ?? (object.status as unknown as JsonObject)['tools']).map(
        ({ name, digest, state }) => ({
          field: `tool/${name}`,
          live: state === 'gone' ? null : digest,
          declared: null,
          detail: `tool ${name} is ${state === 'gone' ? 'not offered any more' : 'another one than was merged'}: it is not called`,
          by: null,
        }),
      )
    },
    adoption({ namespace, name }, { field, live }) {
      if (live === null)
        throw fail('SW_CONFLICT', `${field} is not offered any more: there is nothing to take over`, {
          remedy: 'remove its Tool',
        })
      return { propose: (caller) => lock({ namespace, name }, caller) }
    },
  }
}

interface ChangedTool {
  readonly name: string
  readonly digest: string
  readonly state: 'changed' | 'gone'
}

function changedOf(tools: unknown): readonly ChangedTool[] {
  const all = Array.isArray(tools) ? tools.filter(isObject) : []
  return all.flatMap(({ name, digest, state }) =>
    state === 'changed' || state === 'gone' ? [{ name: String(name), digest: String(digest), state }] : [],
  )
}
