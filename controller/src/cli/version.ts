import { Option } from 'commander'
import { packageVersion } from '../lib/package-root.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderFields } from './print/fields.ts'
import { renderJson } from './print/structured.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description: 'Shows the versions of this program and of the server, if one answers.',
  examples: [['stateward version'], ['stateward version -o json']],
  define: (command) =>
    void command.addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const server = await serverVersion(call)
    const versions = { client: packageVersion(), server: server.version, node: process.versions.node }
    if (call.options['output'] === 'json') await call.terminal.out(renderJson(versions))
    else {
      await call.terminal.out(
        renderFields(
          [
            ['Client', versions.client],
            ['Server', server.version ?? server.problem],
            ['Node', versions.node],
          ],
          call.terminal.colors,
        ),
      )
    }
    return 0
  },
}

/** A server that does not answer is no failure of this verb; why it does not is shown. */
async function serverVersion(call: Parameters<Verb['run']>[0]): Promise<{ version: string | null; problem: string }> {
  try {
    const client = await call.client()
    return { version: (await client.call('readHealth', {})).version, problem: '' }
  } catch (error) {
    return { version: null, problem: `unknown: ${error instanceof Error ? error.message : String(error)}` }
  }
}
