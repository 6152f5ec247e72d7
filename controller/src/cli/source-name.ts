import { fail } from '../lib/error-catalogue.ts'
import type { ApiClient } from './client/api-client.ts'
import { listObjects } from './client/objects.ts'
import { kindByWord } from './kinds/kind-table.ts'

/** The source a command means: the one that was named, or the only one. Throws SW_USAGE when there are several. */
export async function sourceName(client: ApiClient, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const { items } = await listObjects(client, kindByWord('source'), { namespace: null, selector: null })
  const names = items.map((source) => source.metadata.name)
  if (names.length === 0)
    throw fail('SW_NOT_FOUND', 'the server has no source yet', {
      remedy: 'wait until it has read its state repo: stateward get sources',
    })
  if (names.length > 1)
    throw fail('SW_USAGE', `there are several sources (${names.join(', ')}): name one with --source`)
  return names[0]!
}
