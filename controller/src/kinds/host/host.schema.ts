import Type, { type Static } from 'typebox'
import { QUANTITY_PATTERN } from '../../lib/quantity.ts'
import {
  choice,
  commonFields,
  flag,
  integer,
  number,
  object,
  optionalAll,
  stringMap,
  text,
  time,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const agentSlots = integer({
  description: 'Slots for agents; an instance takes as many as its resources.slots.',
  minimum: 0,
  maximum: 10_000,
  default: 10,
})

const quantity = (description: string) =>
  text({ description, maxLength: 20, pattern: QUANTITY_PATTERN, hint: 'a quantity such as 2, 500m or 16Gi' })

export const hostSpec = object(
  optionalAll({
    role: choice(['control', 'operator', 'model', 'product'], {
      description: 'What the host is for; shown with it.',
      default: 'control',
    }),
    labels: stringMap({ description: "What agents' hostSelector looks at.", maxProperties: 32, maxLength: 63 }),
    capacity: object(
      optionalAll({
        agentSlots,
        memory: quantity('Memory agents may have together; unset: all the machine has.'),
      }),
      { description: 'What the host has to give.', default: {} },
    ),
    minimums: object(
      optionalAll({
        cpu: quantity('Cores.'),
        memory: quantity('Memory in bytes.'),
        storage: quantity('Size of the storage its data folder lies on, in bytes.'),
        network: quantity('Bits a second of its fastest link.'),
        gpu: quantity('Graphics devices.'),
      }),
      { description: 'What the machine has to have: with less of anything it is not ready, and takes no agents.' },
    ),
    unschedulable: flag({
      description: 'While true, no new instance is placed here; those that run go on.',
      default: false,
    }),
    connection: choice(['local', 'joined'], {
      description:
        "How it is reached: the controller's own machine, or one that joined with `stateward host join`. Another one that connects under the name is not ready.",
    }),
    ...commonFields,
  }),
  { description: 'A host as it is wanted.' },
)

/** A Host's spec as written. */
export type HostSpec = Static<typeof hostSpec>

const bytes = (description: string) => integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const room = (description: string) =>
  Type.Object(
    {
      agentSlots: integer({ description: 'Slots for agents.', minimum: 0, maximum: 1_000_000 }),
      memory: Type.Optional(bytes('Bytes of memory.')),
    },
    { description },
  )

export const hostStatus = statusOf(
  optionalAll({
    allocatable: room('What can be given to agents.'),
    allocated: room('What instances have taken.'),
    bootPhase: choice(['HardwareCheck', 'AIRuntime', 'CoreServices', 'AgentSpawn', 'Autonomy'], {
      description: 'How far its start is; it stays in the last one.',
    }),
    bootDurationMs: bytes('Milliseconds its start took.'),
    lastHeartbeatTime: time('When it last reported.'),
    hardware: Type.Object(
      {
        cpu: number({ description: 'Cores.', minimum: 0, maximum: 1_000_000 }),
        memory: bytes('Bytes.'),
        storage: bytes('Bytes.'),
        network: Type.Optional(bytes('Bits a second of the fastest link; absent when the system does not say.')),
        gpu: integer({ description: 'Devices.', minimum: 0, maximum: 10_000 }),
      },
      { description: 'What the machine has.' },
    ),
    metrics: Type.Object({}, { description: 'What it uses, from its last heartbeat.', additionalProperties: true }),
    drain: Type.Object(
      {
        total: integer({ description: 'Instances when the drain began.', minimum: 0, maximum: 1_000_000 }),
        remaining: integer({ description: 'Instances that still run.', minimum: 0, maximum: 1_000_000 }),
      },
      { description: 'How far a drain is.' },
    ),
  }),
)
