import Type, { type Static } from 'typebox'
import { breakerSettings } from '../breaker-settings.ts'
import {
  anyObject,
  argv,
  choice,
  commonFields,
  duration,
  environmentVariables,
  flag,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  secretRef,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'

const command = object(
  {
    command: argv('The program and its arguments. It runs once for each call; its output is the result.'),
    ...optionalAll({
      stdin: choice(['json'], { description: 'What it reads: the parameters as one line of JSON.', default: 'json' }),
      env: environmentVariables('Variables it gets, beside those Stateward sets.'),
    }),
  },
  { description: 'The tool is a program.' },
)

const http = object(
  {
    url: text({
      description:
        'Where the request goes. {name} in the path or the query stands for the parameter of that name, encoded; the host is fixed.',
      minLength: 8,
      maxLength: 2048,
      pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^/?#{}\\s@]+([/?][^\\s#]*)?$',
      hint: 'write it like https://api.example.com/items/{id}',
    }),
    ...optionalAll({
      method: choice(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], {
        description:
          'What is done. Parameters that the url does not name become the query of a GET or DELETE, and the JSON body of any other.',
        default: 'POST',
      }),
      headers: list(
        object(
          {
            name: text({
              description: 'Name of the header.',
              minLength: 1,
              maxLength: 128,
              pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
              hint: 'use letters, digits and -',
            }),
            ...optionalAll({
              value: text({
                description: 'The value, in plain sight: never a secret.',
                maxLength: 8192,
                pattern: '^[^\\r\\n]*$',
                hint: 'write it on one line',
              }),
              secretRef: secretRef('The secret that holds the value.'),
              prefix: text({
                description: 'What stands before the secret: `Bearer `.',
                maxLength: 64,
                pattern: '^[^\\r\\n]*$',
                hint: 'write it on one line',
              }),
            }),
          },
          {
            description: 'One header: its name and either a value or a secret.',
            [KEYWORDS.exactlyOne]: ['value', 'secretRef'],
          },
        ),
        {
          description: 'Headers it is sent with. They stay with this host when it redirects to another one.',
          maxItems: 32,
        },
      ),
      okStatus: list(integer({ description: 'One status.', minimum: 400, maximum: 599 }), {
        description: 'Statuses from 400 on that are no failure.',
        maxItems: 20,
        unique: 'set',
      }),
      maxBytes: integer({
        description: 'Of the answer; a larger one is a failure.',
        default: 524_288,
        minimum: 1,
        maximum: 786_432,
      }),
    }),
  },
  { description: 'The tool is an HTTP request. JSON it answers is the result; any other text comes as {text}.' },
)

const mcp = object(
  {
    server: objectName('The McpServer that offers it.'),
    tool: text({ description: "The server's name of it.", minLength: 1, maxLength: 128 }),
    digest: text({
      description:
        'sha256 of what was merged: name, description, schemas and annotations. Calls are refused while the server offers something else. `stateward tool lock` writes it.',
      pattern: '^[0-9a-f]{64}$',
      hint: 'let `stateward tool lock` write it',
    }),
  },
  { description: 'The tool is one of an McpServer.' },
)

const builtin = object(
  {},
  { description: 'The tool is part of Stateward. Shown on tools that are listed, never written.' },
)

/** Names of tools as other systems write them may hold underscores. */
const alias = text({
  description: 'One name.',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
  hint: "use lower-case letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, at most 63 characters",
})

const executor = object(optionalAll({ command, http, mcp, builtin }), {
  description: 'What runs the tool.',
  [KEYWORDS.exactlyOne]: ['command', 'http', 'mcp', 'builtin'],
  [KEYWORDS.rules]: [
    {
      rule: '!has(self.builtin)',
      message: 'a built-in tool is part of Stateward and cannot be declared',
      hint: 'give executor.command, executor.http or executor.mcp, or leave the document out',
    },
  ],
})

export const toolSpec = object(
  {
    executor,
    ...optionalAll({
      description: text({ description: 'What it does.', maxLength: 4096 }),
      inputSchema: anyObject({
        description:
          'JSON Schema the parameters have to fit. A property marked `x-shell: true` takes text that a shell will read.',
      }),
      outputSchema: anyObject({ description: 'JSON Schema the result has to fit.' }),
      risk: choice(['low', 'medium', 'high'], {
        description: 'How much harm a wrong call can do; shown with the tool.',
        default: 'medium',
      }),
      sideEffects: choice(['none', 'reversible', 'irreversible'], {
        description:
          'What a call leaves behind; shown with the tool. A call of a tool that is `none`, idempotent and free begins before anything of it is recorded.',
        default: 'irreversible',
      }),
      idempotent: flag({
        description:
          'Whether repeating a call is harmless. Only then a call is repeated when a crash left its outcome unknown.',
        default: false,
      }),
      undo: object(
        {
          action: { ...alias, description: 'The tool that takes a call back, by name or alias.' } as typeof alias,
          ...optionalAll({
            with: anyObject({
              description:
                'Its parameters. {{ }} may use `inputs`, what the call was asked for, and `output`, what it answered.',
            }),
          }),
        },
        {
          description:
            'How a call is taken back, by `tool.undo` and by the rollback of a run. It is durable: what the call was asked for before it is made, what it answered after it.',
        },
      ),
      permissions: list(
        text({
          description: 'One word, for example fs.write.',
          minLength: 1,
          maxLength: 63,
          pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
          hint: "use lower-case letters, digits, '.', '-' and '_'",
        }),
        {
          description:
            'What an agent that calls the tool itself needs: each is covered by a capability of that name, or of one above it (fs covers fs.write). Left out: nothing.',
          maxItems: 20,
          unique: 'set',
        },
      ),
      aliases: list(alias, { description: 'Other names of the tool.', maxItems: 20, unique: 'set' }),
      timeout: duration({
        description: 'Time after which a call fails, unless the step gives less.',
        default: '60s',
        min: '1s',
        max: '24h',
      }),
      cost: object(
        {
          estimatedCents: integer({
            description:
              'Cents of a US dollar that a call costs: a run with budget_cents is refused when its plan costs more.',
            minimum: 0,
            maximum: 1_000_000,
          }),
          ...optionalAll({
            estimatedLatencyMs: integer({
              description: 'Milliseconds that a call takes, for simulations.',
              minimum: 0,
              maximum: 86_400_000,
            }),
          }),
        },
        { description: 'What a call is expected to cost; simulations say it beforehand.' },
      ),
      trusted: flag({
        description:
          'Whether its program is run as it is. Else it is confined where the machine can: it sees the machine read-only, without secrets and the data folder, and writes to its workspace only.',
        default: false,
      }),
      sandbox: object(
        optionalAll({
          required: flag({
            description: 'Whether it is not called at all where it cannot be confined.',
            default: false,
          }),
          network: flag({
            description:
              'Whether its program has a network; false closes it, and where that cannot be done it is not called.',
            default: true,
          }),
          limits: object(
            optionalAll({
              cpuSeconds: integer({ description: 'Of processor time.', minimum: 1, maximum: 86_400 }),
              memoryMb: integer({
                description: 'Of address space; runtimes such as node want far more of it than they use.',
                minimum: 16,
                maximum: 1_048_576,
              }),
              fileSizeMb: integer({
                description: 'Of each file it writes. Default: 4096.',
                minimum: 1,
                maximum: 1_048_576,
              }),
              openFiles: integer({
                description: 'Files open at once. Default: 4096.',
                minimum: 16,
                maximum: 1_048_576,
              }),
              processes: integer({
                description:
                  'Processes and threads at once, in a sandbox; a controller that runs as root is not held to it. Default: 1024.',
                minimum: 1,
                maximum: 1_048_576,
              }),
            }),
            { description: 'What its program may use up.' },
          ),
        }),
        { description: 'How its program is confined, unless it is trusted.' },
      ),
      rateLimit: object(
        {
          calls: integer({ description: 'Calls in each window.', minimum: 1, maximum: 1_000_000 }),
          ...optionalAll({
            per: duration({ description: 'How long a window is.', default: '1m', min: '1s', max: '24h' }),
          }),
        },
        {
          description:
            'How often it is called, whoever calls; more wait for the next window, and fail with tool_busy when their time is over before it.',
        },
      ),
      redact: list(
        text({
          description: 'A JSON pointer into the result: /token, /user/email. * stands for every member or item.',
          minLength: 2,
          maxLength: 256,
          pattern: '^(/[^/]+)+$',
          hint: 'write it like /token or /items/*/password',
        }),
        {
          description: 'Parts of the result that are replaced by [redacted] before anything records or reads it.',
          maxItems: 50,
          unique: 'set',
        },
      ),
      breaker: breakerSettings,
      rehearsal: flag({ description: 'Whether it only says what it would do; shown with the tool.', default: false }),
      ...commonFields,
    }),
  },
  { description: 'A tool as it is wanted.' },
)

/** How a program of somebody else is confined: of Tools, and of McpServers that are programs. */
export const sandboxSettings = toolSpec.properties.sandbox

/** A Tool's spec as written. */
export type ToolSpec = Static<typeof toolSpec>

export const toolStatus = statusOf({
  builtin: Type.Optional(flag({ description: 'Whether it is part of Stateward.' })),
})
