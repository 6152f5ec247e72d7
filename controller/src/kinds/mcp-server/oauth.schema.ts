import { choice, list, object, optionalAll, secretRef, text } from '../schema-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'

const OAUTH_GRANTS = ['authorizationCode', 'clientCredentials'] as const
const KEY_ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const

/** How somebody, or this installation itself, is authorized for a server behind OAuth 2.1. */
export const oauth = object(
  optionalAll({
    grant: choice(OAUTH_GRANTS, {
      description:
        'authorizationCode: a person signs in once with `stateward mcp login`, and what that gave is renewed from then on. clientCredentials: this installation signs in as itself.',
      default: 'authorizationCode',
    }),
    issuer: text({
      description:
        'The authorization server. Left out: the one that the server names; nothing is sent to another one either way once somebody signed in.',
      minLength: 8,
      maxLength: 2048,
      pattern: '^https?://[^\\s?#]+$',
      hint: 'write it as its metadata has it: https://auth.example.com',
    }),
    clientId: text({
      description:
        'How the authorization server knows this installation. Left out: clientMetadataURL where that is supported, else it is registered when somebody signs in.',
      minLength: 1,
      maxLength: 2048,
    }),
    clientSecretRef: secretRef('The secret that goes with clientId; a public client has none.'),
    privateKeySecretRef: secretRef(
      'A private key instead, as PEM (PKCS #8): it signs an assertion (`private_key_jwt`) and is never sent.',
    ),
    algorithm: choice(KEY_ALGORITHMS, { description: 'What the private key signs with.', default: 'ES256' }),
    clientMetadataURL: text({
      description: 'Where the metadata of this client are published, for servers that take such a URL as clientId.',
      minLength: 12,
      maxLength: 2048,
      pattern: '^https://[^/\\s]+/[^\\s]+$',
      hint: 'write an https address with a path',
    }),
    scopes: list(
      text({
        description: 'One scope.',
        minLength: 1,
        maxLength: 256,
        pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$',
        hint: 'write one word without spaces',
      }),
      {
        description: 'Asked for besides what the server asks for. Left out: what it asks for, or supports.',
        maxItems: 50,
        unique: 'set',
      },
    ),
    loginSecretRef: secretRef(
      'Where what a sign-in gave is kept: it is written by `stateward mcp login` and with each renewal. Default: name mcp.<namespace>.<server>, key login.',
    ),
  }),
  {
    description: 'The server is behind OAuth 2.1. Its own metadata say the rest.',
    [KEYWORDS.rules]: [
      {
        rule: "!has(self.grant) || self.grant != 'clientCredentials' || (has(self.clientId) && (has(self.clientSecretRef) || has(self.privateKeySecretRef)))",
        message: 'clientCredentials needs clientId, and clientSecretRef or privateKeySecretRef',
        hint: 'give both, or leave grant out and let somebody sign in',
      },
      {
        rule: '!(has(self.clientSecretRef) || has(self.privateKeySecretRef)) || (has(self.clientId) && has(self.issuer))',
        message: 'a secret goes with clientId and issuer: whom it is for',
        hint: 'give clientId and issuer, so that it is sent nowhere else',
      },
      {
        rule: '!(has(self.clientSecretRef) && has(self.privateKeySecretRef))',
        message: 'clientSecretRef and privateKeySecretRef cannot stand together',
        hint: 'keep one of them',
      },
      {
        rule: "!has(self.loginSecretRef) || !has(self.grant) || self.grant != 'clientCredentials'",
        message: 'nobody signs in with clientCredentials, so nothing is kept',
        hint: 'remove loginSecretRef',
      },
    ],
  },
)
