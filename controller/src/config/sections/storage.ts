import { duration, optionalText } from './parts.ts'

// What is kept, where, and how long.

export const databaseSection = {
  type: 'object',
  properties: {
    url: {
      ...optionalText,
      description: 'Postgres 15 or newer, also behind a transaction pooler. Unset: the embedded one.',
    },
    directUrl: { ...optionalText, description: 'The same database without a pooler. Unset: database.url.' },
    ownerUrl: {
      ...optionalText,
      description: 'A login that owns the schema, for migrations. Unset: database.directUrl.',
    },
    namedStatements: {
      type: 'boolean',
      default: true,
      description: 'Named prepared statements; off behind a pooler that loses them.',
    },
    requiredMajor: {
      anyOf: [{ type: 'integer', minimum: 15 }, { type: 'null' }],
      default: null,
      description: 'The Postgres major you expect; `stateward doctor` warns about another one.',
    },
  },
  required: ['url', 'directUrl', 'ownerUrl', 'namedStatements', 'requiredMajor'],
  additionalProperties: false,
} as const

export const retentionSection = {
  type: 'object',
  properties: {
    events: {
      ...duration,
      default: '7d',
      description: 'How long events are kept at least; what no consumer has read yet is kept longer.',
    },
    footprints: {
      ...duration,
      default: '90d',
      description: 'How long stored footprints are kept; whole months are dropped.',
    },
    artifacts: {
      ...duration,
      default: '30d',
      description: 'How long artifacts are kept, logs of runs among them.',
    },
    messages: {
      ...duration,
      default: '30d',
      description: 'How long messages are kept; what nobody has acknowledged yet is kept longer.',
    },
  },
  required: ['events', 'artifacts', 'footprints', 'messages'],
  additionalProperties: false,
} as const

export const artifactsSection = {
  type: 'object',
  properties: {
    maxBytes: { type: 'integer', minimum: 1, default: 250_000_000, description: 'Size of one artifact, in bytes.' },
    maxTotalBytes: {
      type: 'integer',
      minimum: 1,
      default: 20_000_000_000,
      description: 'Size of all artifacts that are kept, in bytes; the same content counts once.',
    },
  },
  required: ['maxBytes', 'maxTotalBytes'],
  additionalProperties: false,
} as const
