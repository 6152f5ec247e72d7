import Type, { type Static } from 'typebox'
import {
  choice,
  commonFields,
  duration,
  flag,
  integer,
  list,
  object,
  optionalAll,
  secretRef,
  stringMap,
  text,
  time,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'

const PROVIDERS = ['console', 'sse', 'webhook', 'email'] as const
export const SEVERITIES = ['info', 'warning', 'critical'] as const

const address = (description: string) =>
  text({
    description,
    minLength: 3,
    maxLength: 254,
    pattern: '^[^\\s<>@,;]+@[^\\s<>@,;]+$',
    hint: 'write one address: ops@example.com',
  })

const webhook = object(
  {
    url: text({
      description: 'Where it is sent, with POST; http or https.',
      minLength: 8,
      maxLength: 2048,
      pattern: '^https?://[^\\s]+$',
      hint: 'write an address that begins with https://',
    }),
    ...optionalAll({
      headers: stringMap({ description: 'More headers; never a secret.', maxProperties: 20, maxLength: 1024 }),
    }),
  },
  { description: 'Sent to an address, signed with the key of secretRef.' },
)

const email = object(
  {
    to: list(address('One address.'), { description: 'Who gets it.', minItems: 1, maxItems: 50, unique: 'set' }),
    from: address('Who sends it.'),
    host: text({ description: 'The SMTP server.', minLength: 1 }),
    ...optionalAll({
      port: integer({ description: 'Its port.', minimum: 1, maximum: 65_535, default: 587 }),
      secure: flag({ description: 'TLS from the first byte (port 465); else STARTTLS where offered.', default: false }),
      user: text({ description: 'Who logs in; the password is the secret of secretRef.', minLength: 1 }),
    }),
  },
  { description: 'Sent by mail over SMTP.' },
)

export const notificationRouteSpec = object(
  {
    eventNames: list(
      text({
        description: 'A name of an event, or a glob: * stands for any text, dots too.',
        minLength: 1,
        maxLength: 200,
        pattern: '^[a-z0-9_.*-]+$',
        hint: 'write a name such as checkmk.alert, or a glob such as *.failed',
      }),
      {
        description: 'Which events; those of the environment of its namespace.',
        minItems: 1,
        maxItems: 100,
        unique: 'set',
      },
    ),
    provider: choice(PROVIDERS, {
      description:
        'console: the log of the server. sse: an event of its own on the streams. webhook, email: see there.',
    }),
    ...optionalAll({
      severity: choice(SEVERITIES, {
        description:
          'The least severity. An alert has its own; a name that ends with failed, dead or the like is a warning.',
        default: 'info',
      }),
      webhook,
      email,
      secretRef: secretRef('The key a webhook is signed with, or the password of the SMTP server.'),
      dedupeWindow: duration({
        description: 'The same event about the same thing is sent once in this time.',
        min: '0s',
        max: '7d',
        default: '5m',
      }),
      maxPerMinute: integer({
        description: 'More in a minute are counted, and not sent.',
        minimum: 1,
        maximum: 1000,
        default: 30,
      }),
      ...commonFields,
    }),
  },
  {
    description: 'Who is told of which events, and how.',
    [KEYWORDS.rules]: [
      {
        rule: "(self.provider == 'webhook') == has(self.webhook)",
        message: 'the provider webhook and the field webhook go together',
        hint: 'give webhook: {url: …} with provider: webhook, and only then',
      },
      {
        rule: "(self.provider == 'email') == has(self.email)",
        message: 'the provider email and the field email go together',
        hint: 'give email: {to, from, host} with provider: email, and only then',
      },
      {
        rule: "self.provider != 'webhook' || has(self.secretRef)",
        message: 'a webhook needs a key to be signed with',
        hint: 'name it with secretRef',
      },
    ],
  },
)

/** A NotificationRoute's spec as written. */
export type NotificationRouteSpec = Static<typeof notificationRouteSpec>

export const notificationRouteStatus = statusOf({
  lastNotifiedTime: Type.Optional(time('When one was delivered last.')),
  pending: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Deliveries that are not done.' }),
  ),
  dead: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Deliveries that were given up.' })),
})
