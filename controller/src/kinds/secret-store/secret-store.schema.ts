import Type, { type Static } from 'typebox'
import { commonFields, list, object, optionalAll, PATH_PATTERN, secretRef, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'

const sops = object(
  {
    path: text({
      description:
        'The encrypted file in the state repo: YAML or JSON that SOPS made for an age recipient. A secret is `<name>.<key>` in it, or a path part by part.',
      minLength: 1,
      maxLength: 512,
      pattern: PATH_PATTERN,
      hint: 'write a path from the root of the state repo',
    }),
    keyRef: Type.Optional(
      secretRef(
        'The age identity (AGE-SECRET-KEY-1…) that opens it, from the environment or the data folder. Left out: {name: age, key: identity}.',
      ),
    ),
  },
  { description: 'A file of the state repo that SOPS encrypted with age.' },
)

const encryptedFile = object(
  optionalAll({
    keyRef: secretRef(
      'The age identity that opens it, from the environment or the data folder. Left out: one that Stateward makes in the data folder.',
    ),
  }),
  { description: '<data>/secrets.age, an encrypted file of this machine: `stateward secrets set` writes it.' },
)

const kubernetes = object(
  {
    namespace: text({
      description: 'Namespace of the Secrets.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits and '-'",
    }),
    ...optionalAll({
      context: text({ description: 'Context of the kubeconfig; left out: its current one.', minLength: 1 }),
    }),
  },
  {
    description:
      'Secrets of a Kubernetes cluster: data `<key>` of Secret `<name>`, the slashes of a path written as dashes. By KUBECONFIG, else as a pod of the cluster.',
  },
)

export const secretStoreSpec = object(
  {
    ...optionalAll({
      sops,
      encryptedFile,
      kubernetes,
      paths: list(
        text({
          description: 'A glob over <name>/<key> and over paths: `github/*`, `team/ops/*`; * stands for any text.',
          minLength: 1,
          maxLength: 253,
        }),
        { description: 'Which secrets are looked for here; left out: every one.', maxItems: 100, unique: 'set' },
      ),
      ...commonFields,
    }),
  },
  {
    description: 'A place secrets are read from, after the environment and the data folder.',
    [KEYWORDS.exactlyOne]: ['sops', 'encryptedFile', 'kubernetes'],
  },
)

/** A SecretStore's spec as written. */
export type SecretStoreSpec = Static<typeof secretStoreSpec>

export const secretStoreStatus = statusOf({
  secrets: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: 'How many secrets it holds; absent where that cannot be told.',
    }),
  ),
  file: Type.Optional(
    Type.String({ maxLength: 64, description: 'The content of the SOPS file that is in force, as its object id.' }),
  ),
})
