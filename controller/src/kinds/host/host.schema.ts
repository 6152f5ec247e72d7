import Type, { type Static } from 'typebox'
import { choice, commonFields, flag, integer, object, optionalAll, stringMap } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const agentSlots = integer({
  description: 'Slots for agents; an instance takes as many as its resources.slots.',
  minimum: 0,
  maximum: 10_000,
  default: 10,
})

export const hostSpec = object(
  optionalAll({
    role: choice(['control', 'operator', 'model', 'product'], {
      description: 'What the host is for; shown with it.',
      default: 'control',
    }),
    labels: stringMap({ description: "What agents' hostSelector looks at.", maxProperties: 32, maxLength: 63 }),
    capacity: object(
      { agentSlots: Type.Optional(agentSlots) },
      { description: 'What the host has to give.', default: {} },
    ),
    unschedulable: flag({
      description: 'While true, no new instance is placed here; those that run go on.',
      default: false,
    }),
    connection: choice(['local'], {
      description: "How it is reached. local: the controller's own machine.",
      default: 'local',
    }),
    ...commonFields,
  }),
  { description: 'A host as it is wanted.' },
)

/** A Host's spec as written. */
export type HostSpec = Static<typeof hostSpec>

const slots = (description: string) =>
  Type.Object(
    { agentSlots: integer({ description: 'Slots for agents.', minimum: 0, maximum: 1_000_000 }) },
    { description },
  )

export const hostStatus = statusOf(
  optionalAll({
    allocatable: slots('What can be given to agents.'),
    allocated: slots('What instances have taken.'),
  }),
)
