import type { Environment } from '../config/environment.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { fail } from '../lib/error-catalogue.ts'
import { connectionOf } from './client/connect.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description:
    'Speaks MCP on standard input and output, for programs that start their tool servers: editors and coding agents.\n' +
    'Every message goes to the server at /mcp and is answered there, with the credential of this command line.\n' +
    'In the environment of an agent, STATEWARD_URL and STATEWARD_TOKEN say which server, and as whom.',
  examples: [
    ['stateward mcp'],
    ['stateward mcp --server http://127.0.0.1:8088 --token swa_…', 'as an agent'],
    ['claude mcp add stateward -- stateward mcp', 'for Claude Code'],
    ['codex mcp add stateward -- stateward mcp', 'for Codex'],
  ],
  async run(call) {
    if (call.args.length > 0) throw fail('SW_USAGE', 'mcp takes no operands; it reads messages from standard input')
    const target = await connectionOf(withAgentsOwn(call.config(), call.terminal.env))
    // Loaded here alone: no other verb needs it.
    const { relayMcp } = await import('./client/mcp-relay.ts')
    await relayMcp(target, call.terminal.untilInterrupted())
    return 0
  },
}

/** What the supervisor gives an agent's process says where the server is; flags and STATEWARD_SERVER come first. */
function withAgentsOwn(loaded: LoadedConfig, env: Environment): LoadedConfig {
  const url = env['STATEWARD_URL']
  return url === undefined || loaded.config.server !== null
    ? loaded
    : { ...loaded, config: { ...loaded.config, server: url } }
}
