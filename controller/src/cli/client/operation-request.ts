import { OPERATIONS, type Operations } from './operations.ts'

export type OperationName = keyof Operations
export type InputOf<K extends OperationName> = Operations[K]['input']
export type OutputOf<K extends OperationName> = Operations[K]['output']

/** What is null or undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface OperationRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query: Query
  /** undefined = none */
  readonly body: unknown
}

/** An operation with its input as a request: members of the path are put into it, `body` apart, the rest is the query. */
export function operationRequest<K extends OperationName>(operation: K, input: InputOf<K>): OperationRequest {
  const [method, template] = OPERATIONS[operation]
  const { body, ...members } = input as Readonly<Record<string, unknown>>
  const query = { ...members } as Record<string, string | number | boolean | null | undefined>
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(query[name]))
    delete query[name]
    return value
  })
  return { method, path, query, body }
}
