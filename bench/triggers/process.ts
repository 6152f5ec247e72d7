import { connect, type DatabaseUrls, type Sql } from '../../controller/src/store/database.ts'
import type { Store } from '../../controller/src/store/store.ts'
import { answer } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'
import { FLOOR_CHANNEL } from './floor.ts'
import { openBenchStore, type Parts, type Role, startParts } from './parts.ts'

/** Another process: some parts of a controller, or for the floor nothing but a connection that listens. */

export type Request =
  | { readonly do: 'start'; readonly urls: DatabaseUrls; readonly dataDir: string; readonly roles: readonly Role[] }
  | { readonly do: 'listen'; readonly urls: DatabaseUrls }
  /** Answered when the step of that event begins, or the notification with that number is heard. */
  | { readonly do: 'wait'; readonly n: number }
  | { readonly do: 'stop' }

export interface Reached {
  /** {@link machineSeconds} */
  readonly at: number
}

const waiting = new Map<number, (reached: Reached) => void>()
let parts: Parts | null = null
let store: Store | null = null
let listener: Sql | null = null

function reached(n: number): void {
  const at = machineSeconds()
  waiting.get(n)?.({ at })
  waiting.delete(n)
}

answer(async (message) => {
  const request = message as Request
  switch (request.do) {
    case 'start':
      store = await openBenchStore(request.urls, request.roles.join(','))
      parts = await startParts(store, request.dataDir, request.roles, reached)
      return {}
    case 'listen':
      listener = connect(request.urls.directUrl, { max: 1, applicationName: 'bench floor', namedStatements: true })
      await listener.listen(FLOOR_CHANNEL, (payload) => reached(Number(payload)))
      return {}
    case 'wait':
      return new Promise<Reached>((resolve) => waiting.set(request.n, resolve))
    case 'stop':
      await parts?.stop()
      await store?.end()
      await listener?.end()
      setImmediate(() => process.disconnect())
      return {}
  }
})
