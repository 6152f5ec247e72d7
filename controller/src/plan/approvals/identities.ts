import type { PrincipalSpec } from '../../kinds/principal/principal.schema.ts'
import type { Approver } from './may-approve.ts'

/** Commits that Stateward makes for others carry its address and the name of whoever they are of. */
export const OWN_ADDRESS = 'controller@stateward.dev'

interface Person {
  readonly name: string
  readonly email: string
}

/** People as they are declared: those of the last applied revision. */
export interface Identities {
  /** The principal a commit's author or committer is, as far as anybody can say: `user:ada`, else `git:<email>`. */
  ofPerson(person: Person): string
  /** Whom a person may be besides: who is not declared could be a user of the same name. For refusing, never for allowing. */
  possiblyOf(person: Person): readonly string[]
  ofLogin(forge: 'github', login: string): string
  /** Roles and teams that count for a principal, with those its credential brings. */
  standing(principal: string, credentialRoles?: readonly string[]): Approver
}

export function identitiesOf(
  principals: Iterable<{ readonly name: string; readonly spec: PrincipalSpec }>,
): Identities {
  const byEmail = new Map<string, string>()
  const byLogin = new Map<string, string>()
  const byName = new Map<string, PrincipalSpec>()
  for (const { name, spec } of principals) {
    if (spec.suspend === true) continue
    byName.set(`user:${name}`, spec)
    for (const email of spec.emails ?? []) byEmail.set(email.toLowerCase(), `user:${name}`)
    if (spec.logins?.github !== undefined) byLogin.set(spec.logins.github.toLowerCase(), `user:${name}`)
  }
  const ofLogin = (_forge: 'github', login: string) => byLogin.get(login.toLowerCase()) ?? `github:${login}`
  const ofPerson = ({ name, email }: Person): string => {
    if (email === OWN_ADDRESS && /^(?:user|agent|key|host):\S+$/.test(name)) return name
    const known = byEmail.get(email.toLowerCase())
    if (known !== undefined) return known
    const login = /^(?:\d+\+)?([\w-]+)@users\.noreply\.github\.com$/i.exec(email)?.[1]
    return login === undefined ? `git:${email}` : ofLogin('github', login)
  }
  return {
    ofPerson,
    possiblyOf(person) {
      const principal = ofPerson(person)
      if (!principal.startsWith('git:')) return [principal]
      const names = [person.email.split('@')[0]!, person.name, person.name.toLowerCase().replaceAll(' ', '.')]
      return [principal, ...new Set(names.filter((name) => name !== '').map((name) => `user:${name}`))]
    },
    ofLogin,
    standing(principal, credentialRoles = []) {
      const spec = byName.get(principal)
      return {
        principal,
        roles: [...new Set([...credentialRoles, ...(spec?.roles ?? [])])],
        teams: spec?.teams ?? [],
      }
    },
  }
}
