import { duration, optionalText } from './parts.ts'

// How changes reach the state repo: proposals, approvals, signatures, and how much one commit may delete.

export const proposalsSection = {
  type: 'object',
  properties: {
    expireAfter: {
      ...duration,
      default: '30d',
      description: 'How long a proposal stays open without a new commit.',
    },
  },
  required: ['expireAfter'],
  additionalProperties: false,
} as const

export const forgeSection = {
  type: 'object',
  properties: {
    type: {
      type: 'string',
      enum: ['none', 'github'],
      default: 'none',
      description: 'Where proposals are pull requests, too.',
    },
    repository: {
      ...optionalText,
      description: 'The state repo at the forge, as owner/name. Unset: as `repo` says.',
    },
    apiUrl: {
      type: 'string',
      pattern: '^https?://',
      default: 'https://api.github.com',
      description: 'Where the API of the forge is.',
    },
  },
  required: ['type', 'repository', 'apiUrl'],
  additionalProperties: false,
} as const

export const approvalsSection = {
  type: 'object',
  properties: {
    merges: {
      type: 'string',
      enum: ['none', 'signed', 'any'],
      default: 'signed',
      description:
        "Whose merge or commit of the work of somebody else approves it: `signed`, of whoever signed it with a key of a Principal; `any`, of its committer as it says, for a repo that only people who may approve can push to; `none`, nobody's.",
    },
  },
  required: ['merges'],
  additionalProperties: false,
} as const

export const verifySection = {
  type: 'object',
  properties: {
    mode: {
      type: 'string',
      enum: ['none', 'head'],
      default: 'none',
      description:
        '`head`: a commit is applied only when its head has an SSH signature of a Principal of the last applied revision.',
    },
    allowedSigners: {
      ...optionalText,
      description: 'A file as ssh-keygen reads it: signers besides those that are declared, and of the first commit.',
    },
  },
  required: ['mode', 'allowedSigners'],
  additionalProperties: false,
} as const

export const deletionLimitSection = {
  type: 'object',
  properties: {
    percent: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 20,
      description: 'Share of a kind a commit may delete unasked.',
    },
    count: {
      type: 'integer',
      minimum: 0,
      default: 5,
      description: 'Number of a kind that a commit may delete unasked in any case.',
    },
  },
  required: ['percent', 'count'],
  additionalProperties: false,
} as const
