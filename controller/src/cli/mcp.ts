import { Option } from 'commander'
import type { Environment } from '../config/environment.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { fail } from '../lib/error-catalogue.ts'
import { connectionOf } from './client/connect.ts'
import { collect } from './json-argument.ts'
import { loginToMcpServer } from './mcp-login.ts'
import { namespaceOption, OUTPUT_FLAG } from './operands.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '[login] [server]',
  description:
    'Speaks MCP on standard input and output, for programs that start their tool servers: editors and coding agents.\n' +
    'Every message goes to the server at /mcp and is answered there, with the credential of this command line.\n' +
    'In the environment of an agent, STATEWARD_URL and STATEWARD_TOKEN say which server, and as whom.\n' +
    '`login` signs in to an McpServer behind OAuth, for the whole fleet: in your browser, which comes back to this command.\n' +
    'What that gives is kept as a secret by the server, and renewed; this command never sees it.',
  examples: [
    ['stateward mcp'],
    ['stateward mcp --server http://127.0.0.1:8088 --token swa_…', 'as an agent'],
    ['claude mcp add stateward -- stateward mcp', 'for Claude Code'],
    ['codex mcp add stateward -- stateward mcp', 'for Codex'],
    ['stateward mcp login github', 'sign in to McpServer github'],
    ['stateward mcp login github --scope repo --port 8791', 'one more scope; come back to this port'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--scope <scope>', 'login: ask for this one, too; may be repeated', collect)
      .option('--port <port>', 'login: where the browser comes back to (default: one that is free)')
      .option('--finish <address>', 'login: end one whose browser was on another machine')
      .option('--no-open', 'login: print the address, and open nothing')
      .addOption(new Option(OUTPUT_FLAG, 'login: how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const [word, server, more] = call.args
    if (word === 'login' && server !== undefined && more === undefined) return loginToMcpServer(call, server)
    if (word !== undefined)
      throw fail('SW_USAGE', 'it is: stateward mcp, which reads messages from standard input, or mcp login <server>')
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
