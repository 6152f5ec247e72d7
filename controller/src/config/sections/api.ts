import { optionalText } from './parts.ts'

// The API of this process: who may call it, how often, and over what.

const AUTH_MODES = ['none', 'token', 'oidc'] as const

export const tlsSection = {
  type: 'object',
  additionalProperties: false,
  properties: {
    cert: {
      ...optionalText,
      description: 'A certificate of your own, in PEM. Unset: one is made, with an authority for it.',
    },
    key: { ...optionalText, description: 'Its key, in PEM.' },
    ca: { ...optionalText, description: 'What clients trust it by, in PEM. Unset: what their system trusts.' },
  },
  required: ['cert', 'key', 'ca'],
} as const

export const uiSection = {
  type: 'object',
  properties: {
    home: {
      type: 'string',
      pattern: '^/ui/[\\x21-\\x7e]*$',
      default: '/ui/',
      description: 'Where `/` leads: a path of the page, e.g. `/ui/events`.',
    },
  },
  required: ['home'],
  additionalProperties: false,
} as const

export const authSection = {
  type: 'object',
  properties: {
    mode: {
      type: 'string',
      enum: AUTH_MODES,
      default: 'none',
      description:
        '`none`: anybody on this machine may read; `token`: a credential for everything; `oidc`: also those of an issuer.',
    },
    issuer: { ...optionalText, description: 'The OIDC issuer whose tokens are credentials.' },
    audience: { ...optionalText, description: 'Whom its tokens are for: us.' },
    jwksUrl: { ...optionalText, description: 'Where its keys are. Unset: where its discovery document says.' },
    clientId: {
      ...optionalText,
      description: 'How the issuer knows this installation: with it, it signs people in to the page.',
    },
    clientSecret: { ...optionalText, description: 'What goes with clientId; a public client has none.' },
    rolesClaim: {
      type: 'string',
      minLength: 1,
      default: 'roles',
      description: 'The claim that holds roles or groups; dots for a claim in another.',
    },
    nameClaim: { type: 'string', minLength: 1, default: 'sub', description: 'The claim that names the person.' },
    roleMap: {
      type: 'array',
      items: { type: 'string', pattern: '^.+=.+$' },
      default: [],
      description: 'value=role for each value of that claim that counts. Empty: the values are names of roles.',
    },
  },
  required: ['mode', 'issuer', 'audience', 'jwksUrl', 'clientId', 'clientSecret', 'rolesClaim', 'nameClaim', 'roleMap'],
  additionalProperties: false,
} as const

export const limitsSection = {
  type: 'object',
  properties: {
    perPrincipal: {
      type: 'integer',
      minimum: 0,
      default: 100,
      description: 'Requests a second of one agent, key or person; 0 = no limit.',
    },
    total: {
      type: 'integer',
      minimum: 0,
      default: 1000,
      description: 'Requests a second of all together; 0 = no limit.',
    },
  },
  required: ['perPrincipal', 'total'],
  additionalProperties: false,
} as const
