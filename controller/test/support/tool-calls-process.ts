import { appendFileSync, readFileSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import type { DatabaseUrls } from '../../src/store/database.ts'
import { openStore } from '../../src/store/store.ts'
import { createToolCalls } from '../../src/tools/calls/tool-calls.ts'
import type { ToolRunner } from '../../src/tools/ports.ts'
import { purseOf } from './budget-stack.ts'
import { quietLog } from './quiet-log.ts'

export interface ToolCallsProcessConfig {
  readonly urls: DatabaseUrls
  /** Every effect adds a line `<tool> <operation id>` here, beyond the reach of the product. */
  readonly effectsFile: string
  /** Calls to be made: ids; every other one of a tool that may be called again. */
  readonly ids: readonly string[]
}

const AT_ONCE = 16

/** A process that makes calls of tools under ids that are given, whatever was made of them before, until it is killed or done. */
async function main({ urls, effectsFile, ids }: ToolCallsProcessConfig): Promise<void> {
  const store = await openStore(urls, {
    clock: systemClock,
    roles: ['test'],
    host: 'test-host',
    dataDirLocked: false,
    onLeaseLost: () => process.exit(70),
    log: quietLog,
  })
  const tools: ToolRunner = {
    find: (name) => ({ name, idempotent: name === 'effect.again', inputSchema: {}, timeoutMs: 60_000 }),
    all: () => [],
    async run({ tool, operationId }) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
      appendFileSync(effectsFile, `${tool} ${operationId}\n`)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
      return { done: operationId }
    },
  }
  const calls = createToolCalls({
    store,
    tools,
    purse: purseOf(store),
    policies: { ask: async () => ({ kind: 'allow' }), meets: () => true },
    agent: () => null,
    workspace: async () => '/nowhere',
    envId: (namespace) => namespace,
    assertGoing: () => {},
  })
  await calls.recover()
  const left = [...ids.entries()]
  const one = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [n, id] = next
      await calls.invoke(
        {
          id,
          tool: n % 2 === 0 ? 'effect.once' : 'effect.again',
          input: { n },
          ...{ namespace: 'default', actor: 'user:ada', agent: null, run: null, correlationId: 'c-1' },
        },
        { waitMs: 60_000, signal: new AbortController().signal },
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  await store.end()
  process.exit(0)
}

await main(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ToolCallsProcessConfig)
