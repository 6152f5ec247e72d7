import type { Static } from 'typebox'
import { commonFields, list, object, optionalAll, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const word = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
    hint: "use letters, digits, '-', '_' and '.'",
  })

export const principalSpec = object(
  optionalAll({
    displayName: text({ description: 'Name for people.', maxLength: 128 }),
    emails: list(
      text({
        description: 'As commits carry it.',
        minLength: 3,
        maxLength: 254,
        pattern: '^[^@\\s<>]+@[^@\\s<>]+$',
        hint: 'write name@host',
      }),
      {
        description: 'Addresses whose commits are of this person; no other Principal may have one of them.',
        maxItems: 20,
        unique: 'set',
      },
    ),
    roles: list(word('A role, for example owner-admin or rule-steward.'), {
      description:
        'Roles that count for approvals and policies: `role:<role>`. What a credential may do follows from the credential.',
      maxItems: 20,
      unique: 'set',
    }),
    teams: list(word('A team.'), { description: 'Teams: `team:<team>`.', maxItems: 50, unique: 'set' }),
    signingKeys: list(
      text({
        description: 'A public key as ssh-keygen writes it, without options.',
        minLength: 40,
        maxLength: 2048,
        pattern:
          '^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\\.com) [A-Za-z0-9+/]+={0,3}( [^\\n\\r]*)?$',
        hint: 'paste the line of the .pub file: ssh-ed25519 AAAA…',
      }),
      {
        description:
          'SSH keys that sign commits of this person; a signature counts for the one Principal that has the key.',
        maxItems: 10,
        unique: 'set',
      },
    ),
    logins: object(optionalAll({ github: word('Login at GitHub.') }), {
      description: 'Names at forges: a review or a merge there is of this person.',
    }),
    ...commonFields,
  }),
  { description: 'A person as commits, signatures and forges tell of it.' },
)

/** A Principal's spec as written. */
export type PrincipalSpec = Static<typeof principalSpec>

export const principalStatus = statusOf({})
