import { isObject, type JsonObject } from '../../lib/json.ts'
import { schemaProblem } from '../../lib/json-schema.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type SpecProblem } from '../definition.ts'
import { column, columns } from '../status-parts.ts'
import { eventTypeSpec, eventTypeStatus } from './event-type.schema.ts'

function checkSchema(spec: Readonly<Record<string, unknown>>): SpecProblem[] {
  const schema = spec['dataSchema']
  const wrong = isObject(schema) ? schemaProblem(schema as JsonObject) : null
  if (wrong === null) return []
  return [
    {
      code: 'SW_BAD_VALUE',
      pointer: '/spec/dataSchema',
      message: `this is not a JSON Schema: ${wrong}`,
      hint: 'write a schema of draft 7, or of 2020-12 with $schema, that refers to nothing outside itself',
    },
  ]
}

export const eventType = defineKind({
  kind: 'EventType',
  plural: 'eventtypes',
  singular: 'eventtype',
  shortNames: ['et'],
  scope: 'Cluster',
  description:
    'A name of an event of your own with the JSON Schema of its data: an event whose data does not fit is refused. Names without one are taken as they come. While it is suspended, nothing is checked.',
  spec: eventTypeSpec,
  status: eventTypeStatus,
  columns: columns([
    column('Event', '.spec.event', 'Name of the event.'),
    { ...column('Description', '.spec.description', 'What has happened.'), priority: 1 },
  ]),
  conditions: conditionTable(),
  reasons: COMMON_REASONS,
  celRules: [
    {
      rule: "!self.event.startsWith('stateward.')",
      message: 'names that begin with stateward. are written by Stateward alone',
      hint: 'choose another first word',
    },
  ],
  check: checkSchema,
  example: `apiVersion: stateward.dev/v1alpha1
kind: EventType
metadata:
  name: checkmk-alert
spec:
  event: checkmk.alert
  description: A service of a host changed its state.
  dataSchema:
    type: object
    required: [host, state]
    properties:
      host: {type: string, minLength: 1}
      service: {type: string}
      state: {enum: [OK, WARN, CRIT, UNKNOWN]}
`,
})
