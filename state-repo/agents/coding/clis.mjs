// The command lines of coding agents, and how to read what they answer. Each has `prepare` (the arguments and the standard
// input for a task) and `read` (its output → {text, structured?, session?, usage?, costUsd?, model?, error?}).

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const { STATEWARD_URL, STATEWARD_WORKSPACE = '.' } = process.env

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

const sum = (values) => values.reduce((total, value) => total + (Number(value) || 0), 0)

/** Claude Code: prompt on standard input, one JSON object at the end; the bus as MCP tools. */
const claude = {
  async prepare({ task, more }) {
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
    }
  },
  read(stdout) {
    const said = lastObject(stdout)
    const result = Array.isArray(said) ? said.at(-1) : said
    if (result?.type !== 'result') return { text: stdout, error: `no result: ${stdout.slice(0, 500)}` }
    const { usage = {} } = result
    const cached = [usage.cache_creation_input_tokens, usage.cache_read_input_tokens]
    return {
      text: result.result ?? '',
      structured: result.structured_output,
      session: result.session_id,
      usage: { input_tokens: sum([usage.input_tokens, ...cached]), output_tokens: usage.output_tokens ?? 0 },
      costUsd: result.total_cost_usd,
      model: Object.keys(result.modelUsage ?? {})[0],
      ...(result.is_error === true || result.subtype !== 'success'
        ? { error: `${result.subtype}: ${result.result ?? ''}` }
        : {}),
    }
  },
}

/** Codex: `exec` with the prompt on standard input and events as JSON lines; the bus as MCP tools. */
const codex = {
  async prepare({ task, more }) {
    const schema =
      task.output_schema == null
        ? []
        : ['--output-schema', await keep('.output-schema.json', JSON.stringify(task.output_schema))]
    return {
      command: [
        ...['codex', 'exec', '--json', '--skip-git-repo-check', '--sandbox', 'workspace-write', '--ephemeral'],
        ...['-c', `mcp_servers.stateward.url="${STATEWARD_URL}/mcp"`],
        ...['-c', 'mcp_servers.stateward.bearer_token_env_var="STATEWARD_TOKEN"'],
        ...schema,
        ...more,
        '-',
      ],
      input: task.prompt,
    }
  },
  read(stdout) {
    const events = eventsIn(stdout)
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
      ...(failed === undefined ? {} : { error: failed.error?.message ?? failed.message ?? 'it failed' }),
    }
  },
}

/** Gemini CLI: without a terminal it reads the prompt from standard input; one JSON object. */
const gemini = {
  async prepare({ task, more }) {
    return {
      command: ['gemini', '--output-format', 'json', '--approval-mode', 'auto_edit', ...more],
      input: withSchema(task),
    }
  },
  read(stdout) {
    const result = lastObject(stdout)
    if (result === undefined) return { text: stdout, error: `no result: ${stdout.slice(0, 500)}` }
    const models = Object.entries(result.stats?.models ?? {})
    return {
      text: result.response ?? '',
      usage: {
        input_tokens: sum(models.map(([, { tokens }]) => tokens?.prompt)),
        output_tokens: sum(models.map(([, { tokens }]) => tokens?.candidates)),
      },
      model: models[0]?.[0],
      ...(result.error == null ? {} : { error: result.error.message ?? String(result.error) }),
    }
  },
}

/** `1.2k` → 1200. */
const count = (text) => Math.round(Number.parseFloat(text) * ({ k: 1e3, M: 1e6 }[text.slice(-1)] ?? 1))

/** aider: the prompt as a file; it answers in words, and says at the end what they cost. */
const aider = {
  async prepare({ task, more }) {
    const message = await keep('.message.md', withSchema(task))
    return {
      command: [
        ...['aider', '--message-file', message, '--yes-always', '--no-auto-commits', '--no-dirty-commits'],
        ...['--no-pretty', '--no-stream', '--no-check-update', '--no-analytics', '--no-gitignore'],
        ...more,
      ],
      input: '',
    }
  },
  read(stdout) {
    const [, sent, received] = /Tokens: ([\d.]+[kM]?) sent.*?([\d.]+[kM]?) received/.exec(stdout) ?? []
    const [, cost] = /\$([\d.]+) session/.exec(stdout) ?? []
    return {
      text: stdout.trim(),
      ...(sent === undefined ? {} : { usage: { input_tokens: count(sent), output_tokens: count(received) } }),
      ...(cost === undefined ? {} : { costUsd: Number(cost) }),
    }
  },
}

/** OpenCode: `run` with the prompt on standard input and events as JSON lines. */
const opencode = {
  async prepare({ task, more }) {
    return { command: ['opencode', 'run', '--format', 'json', '--auto', ...more], input: withSchema(task) }
  },
  read(stdout) {
    const events = eventsIn(stdout)
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
