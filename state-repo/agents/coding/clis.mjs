// The command lines of coding agents, and how to read what they answer. Each has `keys` (variables that say where its model is and
// who pays it), `prepare` (the arguments, the standard input and more variables for a task) and `read` (its standard output and
// error → {text, structured?, session?, usage?, costUsd?, model?, error?}).
//
// Without any of its keys a command line asks the models of Stateward, with the token of its instance: routed, limited, paid and
// recorded there (`bus` is then true). Gemini CLI speaks a wire format of its own, so it needs a key.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const { STATEWARD_URL, STATEWARD_TOKEN, STATEWARD_WORKSPACE = '.' } = process.env
/** A name no provider has: who answers is up to the ModelRoute. */
const ANY_MODEL = 'default'

/** Private to the task: credentials and schemas never stand in arguments, which everybody on the machine can read. */
const keep = async (name, content) => {
  const path = join(STATEWARD_WORKSPACE, name)
  await writeFile(path, content, { mode: 0o600 })
  return path
}

/** A prompt for those that cannot be told a schema in another way. */
const withSchema = ({ prompt, output_schema: schema }) =>
  schema == null ? prompt : `${prompt}\n\nAnswer with JSON alone that fits this JSON Schema:\n${JSON.stringify(schema)}`

/** JSON objects, one a line; lines that are none are left out. */
const eventsIn = (text) =>
  text.split('\n').flatMap((line) => {
    try {
      const event = JSON.parse(line)
      return typeof event === 'object' && event !== null ? [event] : []
    } catch {
      return []
    }
  })

const lastObject = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return eventsIn(text).at(-1)
  }
}

/** Whether the arguments of the template name a model. */
const namesModel = (more) => more.some((word) => /^(-m|--model)(=|$)/.test(word))

/** An object over several lines at the end of other text. */
const lastJson = (text) => {
  const at = text.lastIndexOf('\n{\n')
  return at === -1 ? lastObject(text) : lastObject(text.slice(at))
}

/** The message of an error that a provider put in JSON, else the words as they are. */
const saidIn = (words) => {
  const { error, message } = lastObject(words) ?? {}
  return error?.message ?? message ?? words
}

const noResult = (stdout, stderr) => ({
  text: stdout,
  error: `it answered nothing that can be read: ${(stderr.trim() || stdout).slice(-500)}`,
})

const sum = (values) => values.reduce((total, value) => total + (Number(value) || 0), 0)

/** Claude Code: prompt on standard input, one JSON object at the end; the bus as MCP tools. */
const claude = {
  keys: [
    ...['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL', 'CLAUDE_CODE_OAUTH_TOKEN'],
    ...['CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY'],
  ],
  async prepare({ task, more, bus: isBus }) {
    // It puts the variable in by itself: the file holds no credential.
    const headers = { Authorization: `Bearer ${'$'}{STATEWARD_TOKEN}` }
    const bus = { type: 'http', url: `${STATEWARD_URL}/mcp`, headers }
    const servers = await keep('.mcp-servers.json', JSON.stringify({ mcpServers: { stateward: bus } }))
    const schema = task.output_schema == null ? [] : ['--json-schema', JSON.stringify(task.output_schema)]
    return {
      command: [
        ...['claude', '-p', '--output-format', 'json', '--permission-mode', 'acceptEdits'],
        ...['--mcp-config', servers, '--strict-mcp-config', '--allowedTools', 'mcp__stateward'],
        ...schema,
        ...more,
      ],
      input: task.prompt,
      // No news, no reports, no new version in the middle of a task.
      env: {
        ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
        // Stateward has asked every backend before it gives up: asking again for minutes changes little.
        ...(isBus ? { CLAUDE_CODE_MAX_RETRIES: '2' } : {}),
        ...(isBus ? { ANTHROPIC_BASE_URL: STATEWARD_URL, ANTHROPIC_AUTH_TOKEN: STATEWARD_TOKEN } : {}),
      },
    }
  },
  read(stdout, stderr) {
    const said = lastObject(stdout)
    const result = Array.isArray(said) ? said.at(-1) : said
    if (result?.type !== 'result') return noResult(stdout, stderr)
    const { usage = {} } = result
    const cached = [usage.cache_creation_input_tokens, usage.cache_read_input_tokens]
    return {
      text: result.result ?? '',
      structured: result.structured_output,
      session: result.session_id,
      usage: { input_tokens: sum([usage.input_tokens, ...cached]), output_tokens: usage.output_tokens ?? 0 },
      costUsd: result.total_cost_usd,
      model: Object.keys(result.modelUsage ?? {})[0],
      // A refused request is a `success` with an error in it.
      ...(result.is_error === true || result.subtype !== 'success'
        ? {
            error: [result.api_error_status, result.result || result.errors?.join('; ') || result.subtype]
              .filter(Boolean)
              .join(': '),
          }
        : {}),
    }
  },
}

/** Codex: `exec` with the prompt on standard input and events as JSON lines; the bus as MCP tools. */
const codex = {
  keys: ['CODEX_API_KEY', 'OPENAI_API_KEY', 'CODEX_ACCESS_TOKEN'],
  async prepare({ task, more, bus: isBus }) {
    const schema =
      task.output_schema == null
        ? []
        : ['--output-schema', await keep('.output-schema.json', JSON.stringify(task.output_schema))]
    const models = `{name="Stateward",base_url="${STATEWARD_URL}/v1",env_key="STATEWARD_TOKEN",wire_api="responses"}`
    const provider = ['-c', 'model_provider="stateward"', '-c', `model_providers.stateward=${models}`]
    return {
      command: [
        ...['codex', 'exec', '--json', '--skip-git-repo-check', '--sandbox', 'workspace-write', '--ephemeral'],
        ...['-c', `mcp_servers.stateward.url="${STATEWARD_URL}/mcp"`],
        ...['-c', 'mcp_servers.stateward.bearer_token_env_var="STATEWARD_TOKEN"'],
        ...(isBus ? provider : []),
        // The tools of its own models have a form of their own, which other models cannot be told of.
        ...(isBus && !namesModel(more) ? ['-m', ANY_MODEL] : []),
        ...schema,
        ...more,
        '-',
      ],
      input: task.prompt,
    }
  },
  read(stdout, stderr) {
    const events = eventsIn(stdout)
    if (events.length === 0) return noResult(stdout, stderr)
    const messages = events.filter(({ type, item }) => type === 'item.completed' && item?.type === 'agent_message')
    const turns = events.filter(({ type }) => type === 'turn.completed').map(({ usage }) => usage ?? {})
    const failed = events.find(({ type }) => type === 'turn.failed') ?? events.find(({ type }) => type === 'error')
    return {
      text: messages.at(-1)?.item.text ?? '',
      session: events.find(({ type }) => type === 'thread.started')?.thread_id,
      usage: {
        input_tokens: sum(turns.map(({ input_tokens }) => input_tokens)),
        output_tokens: sum(turns.map(({ output_tokens }) => output_tokens)),
      },
      ...(failed === undefined ? {} : { error: saidIn(failed.error?.message ?? failed.message ?? 'it failed') }),
    }
  },
}

/** Gemini CLI: without a terminal it reads the prompt from standard input; one JSON object. */
const gemini = {
  keys: [],
  async prepare({ task, more }) {
    return {
      // In a folder that is not trusted it would ask before it changes anything.
      command: ['gemini', '--output-format', 'json', '--approval-mode', 'auto_edit', '--skip-trust', ...more],
      input: withSchema(task),
    }
  },
  read(stdout, stderr) {
    // What went wrong is an object like the answer, behind other words on the standard error.
    const result = lastObject(stdout) ?? lastJson(stderr)
    if (result === undefined) return noResult(stdout, stderr)
    const models = Object.entries(result.stats?.models ?? {})
    return {
      text: result.response ?? '',
      session: result.session_id,
      usage: {
        input_tokens: sum(models.map(([, { tokens }]) => tokens?.prompt)),
        output_tokens: sum(models.flatMap(([, { tokens }]) => [tokens?.candidates, tokens?.thoughts])),
      },
      model: (models.find(([, { roles }]) => roles?.main !== undefined) ?? models[0])?.[0],
      ...(result.error == null ? {} : { error: result.error.message ?? String(result.error) }),
    }
  },
}

/** What it says of itself before it begins ends with the map of the repository. */
const withoutBanner = (text) => text.replace(/^[\s\S]*?^(?:Repo-map: |Git repo: none)[^\n]*\n/m, '').trim()

/** `1.2k` → 1200. */
const count = (text) => Math.round(Number.parseFloat(text) * ({ k: 1e3, M: 1e6 }[text.slice(-1)] ?? 1))

/** aider: the prompt as a file; it answers in words, and says at the end what they cost. */
const aider = {
  keys: [
    'OPENAI_API_KEY',
    'ANTHROPIC_API_KEY',
    'OPENAI_API_BASE',
    'GEMINI_API_KEY',
    'DEEPSEEK_API_KEY',
    'OPENROUTER_API_KEY',
    'AIDER_MODEL',
  ],
  async prepare({ task, more, bus: isBus }) {
    const message = await keep('.message.md', withSchema(task))
    return {
      command: [
        ...['aider', '--message-file', message, '--yes-always', '--no-auto-commits', '--no-dirty-commits'],
        ...['--no-pretty', '--no-stream', '--no-check-update', '--no-analytics', '--no-gitignore'],
        ...['--no-show-release-notes', '--no-show-model-warnings', '--no-detect-urls'],
        // What it would keep beside the files of the repository.
        ...['--chat-history-file', join(STATEWARD_WORKSPACE, '.aider.chat.md')],
        ...['--input-history-file', join(STATEWARD_WORKSPACE, '.aider.input')],
        ...(isBus && !namesModel(more) ? ['--model', `openai/${ANY_MODEL}`] : []),
        ...more,
      ],
      input: '',
      env: isBus ? { OPENAI_API_BASE: `${STATEWARD_URL}/v1`, OPENAI_API_KEY: STATEWARD_TOKEN } : {},
    }
  },
  read(stdout) {
    const [, sent, received] = /Tokens: ([\d.]+[kM]?) sent.*?([\d.]+[kM]?) received/.exec(stdout) ?? []
    const [, cost] = /\$([\d.]+) session/.exec(stdout) ?? []
    // It ends well whatever became of its request.
    const [, refused] = /litellm\.(\w*(?:Error|Exception)[^\n]*)/.exec(stdout) ?? []
    return {
      text: withoutBanner(stdout),
      ...(refused === undefined || sent !== undefined ? {} : { error: refused }),
      ...(sent === undefined ? {} : { usage: { input_tokens: count(sent), output_tokens: count(received) } }),
      ...(cost === undefined ? {} : { costUsd: Number(cost) }),
    }
  },
}

/** OpenCode: `run` with the prompt on standard input and events as JSON lines. */
const opencode = {
  keys: [
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_CONTENT',
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GEMINI_API_KEY',
    'OPENROUTER_API_KEY',
  ],
  async prepare({ task, more, bus: isBus }) {
    const stateward = {
      npm: '@ai-sdk/openai-compatible',
      name: 'Stateward',
      options: { baseURL: `${STATEWARD_URL}/v1`, apiKey: '{env:STATEWARD_TOKEN}' },
      models: { [ANY_MODEL]: { name: ANY_MODEL } },
    }
    const config = { provider: { stateward }, model: `stateward/${ANY_MODEL}`, autoupdate: false, share: 'disabled' }
    return {
      command: ['opencode', 'run', '--format', 'json', '--auto', ...more],
      input: withSchema(task),
      env: isBus ? { OPENCODE_CONFIG_CONTENT: JSON.stringify(config) } : {},
    }
  },
  read(stdout, stderr) {
    const events = eventsIn(stdout)
    if (events.length === 0) return noResult(stdout, stderr)
    const steps = events.filter(({ type }) => type === 'step_finish').map(({ part }) => part ?? {})
    const failed = events.find(({ type }) => type === 'error')
    return {
      text: events
        .filter(({ type }) => type === 'text')
        .map(({ part }) => part?.text ?? '')
        .join('\n'),
      session: events[0]?.sessionID,
      usage: {
        input_tokens: sum(steps.flatMap(({ tokens }) => [tokens?.input, tokens?.cache?.read, tokens?.cache?.write])),
        output_tokens: sum(steps.flatMap(({ tokens }) => [tokens?.output, tokens?.reasoning])),
      },
      costUsd: sum(steps.map(({ cost }) => cost)),
      ...(failed === undefined
        ? {}
        : { error: failed.error?.data?.message ?? failed.error?.message ?? failed.error?.name ?? 'it failed' }),
    }
  },
}

export const CLIS = { claude, codex, gemini, aider, opencode }
