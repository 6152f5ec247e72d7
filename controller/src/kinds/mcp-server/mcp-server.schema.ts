import Type, { type Static } from 'typebox'
import {
  argv,
  choice,
  commonFields,
  duration,
  environmentVariables,
  flag,
  list,
  object,
  optionalAll,
  secretRef,
  text,
  time,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { sandboxSettings } from '../tool/tool.schema.ts'
import { KEYWORDS } from '../vocabulary.ts'
import { oauth } from './oauth.schema.ts'

const header = object(
  {
    name: text({
      description: 'Name of the header.',
      minLength: 1,
      maxLength: 128,
      pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
      hint: 'write a name as HTTP has it: Authorization',
    }),
    value: Type.Optional(text({ description: 'The value, in plain sight: never a secret.', maxLength: 8192 })),
    secretRef: Type.Optional(secretRef('The secret that holds the value, all of it: `Bearer …` too.')),
  },
  {
    description: 'One header: its name and either a value or a secret.',
    [KEYWORDS.exactlyOne]: ['value', 'secretRef'],
  },
)

const http = object(
  {
    url: text({
      description: 'Where it answers, over streamable HTTP.',
      minLength: 8,
      maxLength: 2048,
      pattern: '^https?://[^\\s]+$',
      hint: 'write an address that begins with https://',
    }),
    ...optionalAll({
      headers: list(header, { description: 'Sent with every message.', maxItems: 20, unique: ['name'] }),
      oauth,
    }),
  },
  { description: 'A server that is there; redirects to other origins are not followed.' },
)

const stdio = object(
  {
    command: argv(
      'The program that is the server, and its arguments. Each process of Stateward that needs it starts one.',
    ),
    ...optionalAll({
      env: environmentVariables(
        'Variables it gets, beside PATH and its like; HOME is its own folder, unless it is trusted. Nothing else is inherited.',
      ),
      trusted: flag({
        description:
          'Whether it is run as it is. Else it is confined where the machine can: it sees the machine read-only, without secrets and the data folder, no process but its own, and writes to its own folder only.',
        default: false,
      }),
      sandbox: sandboxSettings,
    }),
  },
  { description: 'A program that speaks on its standard input and output.' },
)

export const mcpServerSpec = object(
  optionalAll({
    http,
    stdio,
    description: text({ description: 'What it is for.', maxLength: 4096 }),
    tools: list(
      text({ description: "A name of the server's, or a glob: * stands for any text.", minLength: 1, maxLength: 128 }),
      { description: 'Which of its tools are looked at; left out: every one.', maxItems: 200, unique: 'set' },
    ),
    questions: choice(['refuse', 'defaults'], {
      description:
        'What a tool gets that asks a person something in the middle of a call, where there is nobody. refuse: it is told so before. defaults: each answer that it proposes itself; what has none declines the question.',
      default: 'refuse',
    }),
    timeout: duration({
      description: 'Longest wait for an answer while connecting and listing; a call has the timeout of its Tool.',
      default: '30s',
      min: '1s',
      max: '10m',
    }),
    interval: duration({
      description: 'How often it is asked what it offers; it is asked before calls, too.',
      default: '5m',
      min: '5s',
      max: '24h',
    }),
    ...commonFields,
  }),
  { description: 'A server of tools.', [KEYWORDS.exactlyOne]: ['http', 'stdio'] },
)

/** An McpServer's spec as written. */
export type McpServerSpec = Static<typeof mcpServerSpec>

export const TOOL_STATES = ['locked', 'new', 'changed', 'gone'] as const

const offered = object(
  {
    name: text({ description: "The server's name of it." }),
    tool: text({ description: 'The Tool it is, or would be.' }),
    state: choice(TOOL_STATES, {
      description:
        'locked: as the Tool pins it. new: no Tool pins it. changed: it is not what the Tool pins, and is not called. gone: a Tool pins what is not offered any more.',
    }),
    digest: text({ description: 'sha256 of name, description, schemas and annotations as offered; empty when gone.' }),
  },
  { description: 'One tool.' },
)

export const mcpServerStatus = statusOf({
  server: Type.Optional(text({ description: 'What it calls itself, with its version.' })),
  protocol: Type.Optional(text({ description: 'The revision of MCP that is spoken with it.' })),
  tools: Type.Optional(list(offered, { description: 'What it offers.', maxItems: 1000, unique: ['name'] })),
  counts: Type.Optional(text({ description: 'How many tools are locked, new, changed or gone.' })),
  proposal: Type.Optional(text({ description: 'The branch that proposes what changed.' })),
  lastDiscoveredTime: Type.Optional(time('When it was asked last.')),
})
