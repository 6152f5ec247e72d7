import type { PolicySubject } from './request.ts'

/** `RuleSteward`, `rule_steward` and `rule-steward` name one role. */
function plainRole(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '')
}

/**
 * Whether a subject is one of those a policy names: `role:<role>`, `team:<team>`, `user:<name>`, `agent:<name>` (of the
 * policy's namespace), `principal:<any of them, also without the word that says what it is>`.
 */
export function compileSubjects(names: readonly string[], namespace: string): (subject: PolicySubject) => boolean {
  const roles = new Set<string>()
  const teams = new Set<string>()
  const principals = new Set<string>()
  for (const name of names) {
    const [word, rest] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)]
    if (word === 'role') roles.add(plainRole(rest))
    else if (word === 'team') teams.add(rest)
    else if (word === 'agent') principals.add(`agent:${namespace}/${rest}`)
    else if (word === 'user') principals.add(name)
    else {
      principals.add(rest)
      principals.add(`user:${rest}`)
      principals.add(`agent:${namespace}/${rest}`)
    }
  }
  return (subject) =>
    principals.has(subject.principal) ||
    (teams.size > 0 && subject.teams.some((team) => teams.has(team))) ||
    (roles.size > 0 && subject.roles.some((role) => roles.has(plainRole(role))))
}
