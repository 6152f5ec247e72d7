#!/usr/bin/env node
// Speaks the command line of the coding agent it is called by: its arguments, its input, its output, its exit codes. What it was
// given goes to the file CODING_LOG; words in the prompt make it fail as the real one does.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'

const name = basename(process.argv[1])
const args = process.argv.slice(2)
const after = (flag) => args[args.indexOf(flag) + 1]
const read = (path) => readFileSync(path, 'utf8')
const input = name === 'aider' ? read(after('--message-file')) : read(0)
appendFileSync(process.env.CODING_LOG, `${JSON.stringify({ name, args, input, cwd: process.cwd() })}\n`)
const wanted = {
  claude: ['-p'],
  codex: ['exec', '-'],
  gemini: ['--output-format'],
  aider: ['--yes-always'],
  opencode: ['run'],
}
for (const flag of wanted[name]) if (!args.includes(flag)) process.exit(2)

const broken = /please fail/.test(input) ? 'no such model' : /please wait/.test(input) ? 'Overloaded: 529' : null
const wantsJson = /JSON Schema|please structure/.test(input)
if (/please edit/.test(input)) writeFileSync('hello.txt', 'changed\n')
const words = wantsJson ? '```json\n{"n":7}\n```' : `did: ${input}`
const line = (event) => console.log(JSON.stringify(event))

if (name === 'claude') {
  const schema = args.includes('--json-schema') ? { structured_output: { n: 7 } } : {}
  const servers = JSON.parse(read(after('--mcp-config'))).mcpServers
  line({
    ...{ type: 'result', subtype: broken === null ? 'success' : 'error_during_execution', is_error: broken !== null },
    ...{ result: broken ?? words, session_id: 's-1', num_turns: 2, total_cost_usd: 0.0123, ...schema },
    usage: { input_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 5, output_tokens: 30 },
    modelUsage: { 'claude-x': {} },
    servers: Object.keys(servers),
  })
} else if (name === 'codex') {
  line({ type: 'thread.started', thread_id: 's-1' })
  line({ type: 'turn.started' })
  line({ type: 'item.completed', item: { id: 'item_0', type: 'reasoning', text: 'hm' } })
  const text = args.includes('--output-schema') ? '{"n":7}' : words
  if (broken === null) line({ type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text } })
  if (broken === null)
    line({ type: 'turn.completed', usage: { input_tokens: 20, cached_input_tokens: 4, output_tokens: 30 } })
  else line({ type: 'turn.failed', error: { message: broken } })
} else if (name === 'gemini') {
  const tokens = { prompt: 20, candidates: 30, total: 50 }
  if (broken === null) line({ response: words, stats: { models: { 'gemini-x': { tokens } } } })
  else line({ response: '', stats: {}, error: { type: 'ApiError', message: broken, code: 1 } })
} else if (name === 'aider') {
  if (broken !== null) console.error(broken)
  else console.log(`${words}\n\nTokens: 1.2k sent, 30 received. Cost: $0.01 message, $0.02 session.`)
} else {
  line({ type: 'step_start', timestamp: 1, sessionID: 's-1', part: { type: 'step-start' } })
  if (broken === null) line({ type: 'text', sessionID: 's-1', part: { type: 'text', text: words } })
  else line({ type: 'error', sessionID: 's-1', error: { name: 'APIError', data: { message: broken } } })
  const tokens = { input: 15, output: 25, reasoning: 5, cache: { read: 5, write: 0 } }
  line({ type: 'step_finish', sessionID: 's-1', part: { type: 'step-finish', tokens, cost: 0.004 } })
}
process.exitCode = broken === null ? 0 : 1
