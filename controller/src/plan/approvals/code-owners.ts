import ignore from 'ignore'
import { CODE_OWNERS_FILES } from '../../kinds/source/code-owners-files.ts'
import type { ApprovalRequirement } from './requirement.ts'

export interface CodeOwners {
  readonly file: string
  readonly rules: readonly OwnerRule[]
  /** Lines nobody can read, with what is wrong. They own nothing, which is why they are told. */
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

interface OwnerRule {
  readonly line: number
  readonly pattern: string
  /** As approver sets; empty = the path needs nobody, whatever a rule above says. */
  readonly owners: readonly string[]
  readonly owns: (path: string) => boolean
}

/**
 * Reads a CODEOWNERS file as forges do: patterns of .gitignore without `!` and `[ ]`, the last line that fits a path wins, a
 * line without owners takes ownership away. An owner is `@user`, `@org/team`, an address, or an approver set of ours
 * (`role:rule-steward`, `team:platform`, `user:ada`).
 */
export function parseCodeOwners(file: string, text: string): CodeOwners {
  const rules: OwnerRule[] = []
  const problems: { line: number; message: string }[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const content = raw.replace(/(^|\s)#.*$/, '').trim()
    if (content === '') continue
    const words = content.split(/(?<!\\)\s+/)
    const pattern = words[0]!
    if (/^[!^[]/.test(pattern) || /\[[^\]]*\]/.test(pattern)) {
      problems.push({ line, message: `${pattern} is no pattern of a CODEOWNERS file` })
      continue
    }
    const owners = words.slice(1).map(ownerSet)
    const unknown = words.slice(1).find((_, at) => owners[at] === null)
    if (unknown !== undefined) {
      problems.push({
        line,
        message: `${unknown} names no owner: @user, @org/team, an address, role:<role>, team:<team>`,
      })
      continue
    }
    rules.push({
      line,
      pattern,
      owners: owners as string[],
      owns: ownership(pattern.replaceAll('\\ ', ' ')),
    })
  }
  return { file, rules, problems }
}

/** `dir/*` owns the files of a folder and nothing below: with .gitignore a folder that fits would own all of it. */
function ownership(pattern: string): (path: string) => boolean {
  const rules = ignore({ ignorecase: false, allowRelativePaths: true }).add(pattern)
  if (!/(^|[^*])\/\*$/.test(pattern)) return (path) => rules.ignores(path)
  return (path) => {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    return rules.ignores(path) && (folder === '' || !rules.ignores(folder))
  }
}

function ownerSet(word: string): string | null {
  const team = /^@[\w.-]+\/([\w.-]+)$/.exec(word)
  if (team !== null) return `team:${team[1]}`
  const user = /^@([\w.-]+)$/.exec(word)
  if (user !== null) return `user:${user[1]}`
  if (/^(?:role|team|user|principal|agent):[\w.@/-]+$/.test(word)) return word
  return /^[^@\s]+@[^@\s]+$/.test(word) ? `git:${word}` : null
}

/** Who has to agree to a change of these paths: one requirement for each rule that owns some of them. */
export function ownersOf(owners: CodeOwners, paths: readonly string[]): ApprovalRequirement[] {
  const found = new Map<number, OwnerRule>()
  for (const path of paths) {
    const rule = owners.rules.findLast(({ owns }) => owns(path))
    if (rule !== undefined && rule.owners.length > 0) found.set(rule.line, rule)
  }
  const asked = [...found.values()].map(
    ({ line, pattern, owners: fromAnyOf }): ApprovalRequirement => ({
      min: 1,
      fromAnyOf,
      askedBy: { kind: 'path', file: owners.file, line, pattern },
    }),
  )
  const orphan = paths.find((path) => isOwnersFile(path) && !owners.rules.some(({ owns }) => owns(path)))
  if (orphan === undefined) return asked
  const askedBy = { kind: 'path', file: owners.file, line: 0, pattern: orphan } as const
  return [...asked, { min: 1, fromAnyOf: ['role:owner-admin'], askedBy }]
}

/** Who may change what is nobody's to change alone: where no line owns the file that says so, an owner-admin does. */
function isOwnersFile(path: string): boolean {
  return (CODE_OWNERS_FILES as readonly string[]).includes(path)
}
