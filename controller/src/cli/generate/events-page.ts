import { EVENT_TYPES } from '../../events/catalogue.ts'
import type { EventType } from '../../events/event-type.ts'
import type { Artefact } from './artefact.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

interface Member {
  readonly type?: string
  readonly format?: string
  readonly const?: string
  readonly items?: Member
  readonly anyOf?: readonly Member[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Member>>
}

/** Every event that Stateward writes, with the members of its data. */
function eventsPage(): string {
  return `${[
    GENERATED_NOTE,
    '# Events',
    'Everything that happens is an event of one log: `stateward events`, `GET /api/v1/events`, the stream `GET /events/ui`. The names below are written by Stateward alone; the schemas are served by `GET /api/v1/event-types`. Names of others are words with dots that begin with another word. They need no schema; an [EventType](kinds/eventtypes.md) in the state repo gives them one, and `GET /api/v1/event-types` lists it too.',
    'Besides `data`, each event has `event_id`, `event_name`, `occurred_at`, `env_id`, `actor`, `correlation_id`, `run_id`, `step_id`, `resource` and `seq`, its number in the log.',
    ...Object.entries(EVENT_TYPES).map(([name, type]) => section(name, type)),
  ].join('\n\n')}\n`
}

function section(name: string, { description, data }: EventType): string {
  const required = new Set((data as { required?: readonly string[] }).required ?? [])
  const rows = Object.entries(data.properties as Readonly<Record<string, Member>>).map(([member, schema]) => [
    `\`${member}\``,
    typeText(schema),
    required.has(member) ? 'always' : 'sometimes',
    schema.description ?? '',
  ])
  return [`## ${name}`, description, table(['data', 'type', 'present', ''], rows)].join('\n\n')
}

function typeText(schema: Member): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`
  if (schema.properties !== undefined) return `object (${Object.keys(schema.properties).join(', ')})`
  return schema.format ?? schema.type ?? 'any'
}

export function eventsPageArtefacts(): Artefact[] {
  return [{ path: 'docs/reference/events.md', render: async () => eventsPage() }]
}
