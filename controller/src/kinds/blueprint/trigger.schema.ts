import Type from 'typebox'
import { anyObject, choice, duration, integer, object, optionalAll, secretRef, text } from '../schema-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'
import { EVENT_HINT, EVENT_PATTERN, EXPRESSION } from './expression-parts.ts'

/** Fields of a trigger that only some kinds of trigger take, as a rule CEL can say. */
const onlyWith = (kinds: readonly string[], fields: readonly string[]) => ({
  rule: `${kinds.map((kind) => `has(self.${kind})`).join(' || ')} || !(${fields.map((field) => `has(self.${field})`).join(' || ')})`,
  message: `${fields.join(', ')} ${fields.length > 1 ? 'belong' : 'belongs'} to a trigger with ${kinds.join(' or ')}`,
  hint: `remove ${fields.length > 1 ? 'them' : 'it'}, or write a trigger with ${kinds.join(' or ')}`,
})

const headerName = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9-]+$',
    hint: 'write the name of an HTTP header, for example X-Hub-Signature-256',
  })

const webhook = object(
  {
    name: text({
      description:
        'Deliveries come to POST /api/v1/webhooks/<name> (with ?namespace= for another namespace than default) and become the event webhook.<name>.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-' and '_'",
    }),
    secretRef: secretRef('The key of the signature: HMAC-SHA256 over the raw body.'),
    header: Type.Optional(
      headerName(
        'Header with the signature: sha256=<hex>, bare hex, or base64. X-Hub-Signature-256 when left out, as GitHub sends it.',
      ),
    ),
    timestampHeader: Type.Optional(
      headerName(
        'Header with the time of the delivery in Unix seconds. With it, the signature is over <timestamp>.<body>, and a delivery from outside the replay window is refused.',
      ),
    ),
    deliveryHeader: Type.Optional(
      headerName('Header with the id of the delivery. X-GitHub-Delivery when left out; a sender need not send one.'),
    ),
    replayWindow: Type.Optional(
      duration({
        description:
          'How long a delivery is remembered: the same id, or the same body, within it is a duplicate. 5m when left out.',
        min: '1s',
        max: '24h',
      }),
    ),
  },
  { description: 'Deliveries of another system, proven by their signature.' },
)

/** What starts runs of a blueprint. */
export const trigger = object(
  optionalAll({
    event: text({
      description: "Name of the event, or a glob in which '*' stands for any characters, for example checkmk.*.",
      minLength: 1,
      pattern: EVENT_PATTERN,
      hint: EVENT_HINT,
    }),
    filter: text({
      description: 'CEL over `event`; the run starts when it is true. A key that is missing means no match.',
      minLength: 1,
      maxLength: EXPRESSION,
    }),
    dedupeKey: text({
      description: 'Template over `event`. While a run with the same key has not ended, no other is started.',
      minLength: 1,
      maxLength: EXPRESSION,
    }),
    dedupeWindow: duration({
      description: 'How long the key stays taken after that run has ended. 0s when left out.',
      min: '0s',
      max: '30d',
    }),
    webhook,
    schedule: text({
      description:
        'Cron: minute, hour, day of month, month, day of week, for example 0 3 * * *. Each time it comes, a run is started.',
      minLength: 1,
      maxLength: 128,
    }),
    timeZone: text({
      description:
        'Time zone of the schedule, by its IANA name, for example Europe/Berlin; UTC when left out. A local time that is skipped in spring runs right after; one that comes twice in autumn runs once, unless the hour field begins with *.',
      minLength: 1,
      maxLength: 64,
    }),
    concurrencyPolicy: choice(['Allow', 'Forbid', 'Replace'], {
      description:
        'When a run of this schedule is still open at its next time: Allow starts another, Forbid leaves that time out, Replace cancels the open one. Allow when left out.',
    }),
    startingDeadlineSeconds: integer({
      description:
        'How late a run may start, for example after the controller was down; a time that is later than this is left out. However late, when left out. Of several missed times, only the latest starts a run.',
      minimum: 1,
      maximum: 31_536_000,
    }),
    inputs: anyObject({ description: 'Inputs of the runs the schedule starts.' }),
  }),
  {
    description: 'What starts a run: an event, a delivery to a webhook, or a time.',
    [KEYWORDS.exactlyOne]: ['event', 'webhook', 'schedule'],
    [KEYWORDS.rules]: [
      onlyWith(['event', 'webhook'], ['filter', 'dedupeKey', 'dedupeWindow']),
      onlyWith(['dedupeKey'], ['dedupeWindow']),
      onlyWith(['schedule'], ['timeZone', 'concurrencyPolicy', 'startingDeadlineSeconds', 'inputs']),
    ],
  },
)
