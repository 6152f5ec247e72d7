import type { ElicitRequestParams, ElicitResult } from '@modelcontextprotocol/client'
import { isObject } from '../lib/json.ts'

/**
 * What a tool gets that asks a person something in the middle of a call. Nobody is there: it gets the answers it proposes
 * itself, and where one that it needs has none, or it wants somebody to open an address, the question is declined. Pure.
 */
export function answerQuestion(params: ElicitRequestParams): ElicitResult {
  if (!('requestedSchema' in params)) return { action: 'decline' }
  const { properties = {}, required = [] } = params.requestedSchema as {
    readonly properties?: Readonly<Record<string, unknown>>
    readonly required?: readonly string[]
  }
  const proposed = Object.entries(properties).flatMap(([name, schema]) =>
    isObject(schema) && schema['default'] !== undefined ? [[name, schema['default']] as const] : [],
  )
  const content = Object.fromEntries(proposed)
  if (required.some((name) => content[name] === undefined)) return { action: 'decline' }
  return { action: 'accept', content: content as NonNullable<ElicitResult['content']> }
}
