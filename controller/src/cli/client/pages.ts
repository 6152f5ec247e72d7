import type { ApiClient } from './api-client.ts'
import type { InputOf, OperationName, OutputOf } from './operation-request.ts'

interface PageOf<Item> {
  readonly items: readonly Item[]
  readonly next_cursor: string | null
}
/** The operations that answer with a page of items. */
type Listing = {
  [K in OperationName]: OutputOf<K> extends PageOf<unknown> ? ('cursor' extends keyof InputOf<K> ? K : never) : never
}[OperationName]
type ItemOf<K extends Listing> = OutputOf<K> extends PageOf<infer Item> ? Item : never

const PAGE = 1000

/** The items of a list, page after page, at most `most` of them. `more` tells that there are others. */
export async function firstItems<K extends Listing>(
  client: ApiClient,
  operation: K,
  input: InputOf<K>,
  most: number,
): Promise<{ readonly items: ItemOf<K>[]; readonly more: boolean }> {
  const items: ItemOf<K>[] = []
  let cursor: string | null = null
  while (items.length < most) {
    const limit = Math.min(most - items.length, PAGE)
    // What `Listing` says of every such operation, the compiler does not see of any one.
    const page = (await client.call(operation, { ...input, limit, cursor })) as unknown as PageOf<ItemOf<K>>
    items.push(...page.items)
    cursor = page.next_cursor
    if (cursor === null) break
  }
  return { items, more: cursor !== null }
}

/** Every item of a list. */
export async function allItems<K extends Listing>(
  client: ApiClient,
  operation: K,
  input: InputOf<K>,
): Promise<ItemOf<K>[]> {
  return (await firstItems(client, operation, input, Number.POSITIVE_INFINITY)).items
}
