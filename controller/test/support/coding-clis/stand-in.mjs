#!/usr/bin/env node
// Speaks the command line of the coding agent it is called by: its arguments, its input, its output, its exit codes, as recorded of
// Claude Code 2.1.330, Codex 0.169.0, Gemini CLI 0.61.0, aider 0.86.2 and OpenCode 1.18.33. What it was given goes to the file
// CODING_LOG; words in the prompt make it fail as the real one does. Told to ask a model, it asks where the real one would.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'

const { env } = process
const name = basename(process.argv[1])
const args = process.argv.slice(2)
const after = (flag) => args[args.indexOf(flag) + 1]
const read = (path) => readFileSync(path, 'utf8')
const input = name === 'aider' ? read(after('--message-file')) : read(0)
appendFileSync(env.CODING_LOG, `${JSON.stringify({ name, args, input, cwd: process.cwd(), pwd: env.PWD })}\n`)
const wanted = {
  claude: ['-p'],
  codex: ['exec', '-'],
  gemini: ['--output-format', '--skip-trust'],
  aider: ['--yes-always'],
  opencode: ['run'],
}
for (const flag of wanted[name]) if (!args.includes(flag)) process.exit(2)

/** Where the real one would ask, by what it was told. */
const models = {
  claude: () => ['/v1/messages', env.ANTHROPIC_BASE_URL, env.ANTHROPIC_AUTH_TOKEN, 'claude-opus-5-5'],
  codex() {
    const said = args.find((word) => word.startsWith('model_providers.stateward=')) ?? ''
    const [, url] = /base_url="([^"]+)"/.exec(said) ?? []
    const [, key] = /env_key="([^"]+)"/.exec(said) ?? []
    return ['/responses', url, env[key], after('-m')]
  },
  aider: () => ['/chat/completions', env.OPENAI_API_BASE, env.OPENAI_API_KEY, after('--model')?.replace('openai/', '')],
  opencode() {
    const { model, provider } = JSON.parse(env.OPENCODE_CONFIG_CONTENT ?? '{"model":"","provider":{}}')
    const { baseURL, apiKey } = provider.stateward?.options ?? {}
    return [
      '/chat/completions',
      baseURL,
      apiKey === '{env:STATEWARD_TOKEN}' ? env.STATEWARD_TOKEN : '',
      model.split('/')[1],
    ]
  },
}

async function ask(prompt) {
  const [path, base, token, model] = models[name]()
  const messages = [{ role: 'user', content: prompt }]
  const response = await fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ model, max_tokens: 100, ...(name === 'codex' ? { input: messages } : { messages }) }),
  })
  const body = await response.json()
  if (!response.ok) return { problem: `${response.status} ${body.error.message}` }
  const said = body.content?.[0].text ?? body.choices?.[0].message.content ?? body.output?.[0].content[0].text
  return { said }
}

const asked = /please ask/.test(input) ? await ask(input) : {}
const broken =
  asked.problem ?? (/please fail/.test(input) ? 'no such model' : /please wait/.test(input) ? 'Overloaded: 529' : null)
const wantsJson = /JSON Schema|please structure/.test(input)
if (/please edit/.test(input)) {
  writeFileSync(`${env.PWD}/hello.txt`, 'changed\n')
  writeFileSync(`${env.PWD}/new.txt`, 'is new\n')
}
const words = asked.said ?? (wantsJson ? '```json\n{"n":7}\n```' : `did: ${input}`)
const line = (event) => console.log(JSON.stringify(event))

if (name === 'claude') {
  const schema = args.includes('--json-schema') ? { structured_output: { n: 7 } } : {}
  JSON.parse(read(after('--mcp-config')))
  const usage = { input_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 5, output_tokens: 30 }
  // Refused by its provider it ends with a `success`, too.
  line({
    ...{ duration_api_ms: 12, stop_reason: broken === null ? 'end_turn' : 'stop_sequence', session_id: 's-1' },
    ...{ total_cost_usd: broken === null ? 0.0123 : 0, is_error: broken !== null, num_turns: 2, subtype: 'success' },
    ...(broken === null ? {} : { api_error_status: /^\d+/.exec(broken)?.[0] ?? 404 }),
    usage: { ...usage, server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 }, service_tier: 'standard' },
    modelUsage: broken === null ? { 'claude-x': { inputTokens: 10, outputTokens: 30, costUSD: 0.0123 } } : {},
    ...{ permission_denials: [], terminal_reason: broken === null ? 'completed' : 'api_error' },
    ...{ result: broken ?? words, type: 'result', duration_ms: 387, uuid: 'u-1', ...schema },
  })
} else if (name === 'codex') {
  line({ type: 'thread.started', thread_id: 's-1' })
  line({ type: 'item.completed', item: { id: 'item_0', type: 'error', message: 'Model metadata not found.' } })
  line({ type: 'turn.started' })
  line({ type: 'item.completed', item: { id: 'item_1', type: 'reasoning', text: 'hm' } })
  const text = args.includes('--output-schema') ? '{"n":7}' : words
  const usage = { input_tokens: 20, cached_input_tokens: 4, cache_write_input_tokens: 0, output_tokens: 30 }
  if (broken === null) line({ type: 'item.completed', item: { id: 'item_2', type: 'agent_message', text } })
  if (broken === null) line({ type: 'turn.completed', usage: { ...usage, reasoning_output_tokens: 0 } })
  else {
    line({ type: 'error', message: broken })
    line({ type: 'turn.failed', error: { message: broken } })
  }
} else if (name === 'gemini') {
  const of = (prompt, candidates) => ({
    prompt,
    candidates,
    total: prompt + candidates,
    cached: 0,
    thoughts: 0,
    tool: 0,
  })
  const stats = {
    'gemini-small': { tokens: of(5, 10), roles: { utility_router: { tokens: of(5, 10) } } },
    'gemini-x': { tokens: of(15, 20), roles: { main: { tokens: of(15, 20) } } },
  }
  if (broken === null)
    console.log(JSON.stringify({ session_id: 's-1', response: words, stats: { models: stats } }, null, 2))
  else {
    const error = { type: 'Error', message: broken, code: 1 }
    console.error(
      `Error generating content via API: ${broken}\n${JSON.stringify({ session_id: 's-1', error }, null, 2)}`,
    )
  }
} else if (name === 'aider') {
  console.log('Aider v0.86.2\nModel: openai/default with whole edit format\nGit repo: .git with 1 files')
  console.log('Repo-map: using 1024 tokens, auto refresh\n')
  if (broken !== null) console.log(`litellm.BadRequestError: OpenAIException - ${broken}`)
  else console.log(`${words}\n\nTokens: 1.2k sent, 30 received. Cost: $0.01 message, $0.02 session.`)
} else {
  const of = { timestamp: 1, sessionID: 's-1' }
  line({ type: 'step_start', ...of, part: { type: 'step-start', snapshot: '3fff' } })
  if (broken === null) line({ type: 'text', ...of, part: { type: 'text', text: words } })
  else line({ type: 'error', ...of, error: { name: 'APIError', data: { message: broken } } })
  const tokens = { total: 50, input: 15, output: 25, reasoning: 5, cache: { read: 5, write: 0 } }
  line({ type: 'step_finish', ...of, part: { type: 'step-finish', reason: 'stop', tokens, cost: 0.004 } })
}
// aider ends well whatever became of its request.
process.exitCode = broken === null || name === 'aider' ? 0 : 1
