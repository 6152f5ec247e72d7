import { kubectl } from '../../support/kubectl.ts'

interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** Of what it prints, only lines with this are written down. */
  readonly grep?: string
}

export interface Transcript {
  /** Runs a line as a person types it after `kubectl `, and writes it and its answer down. Its answer as it came. */
  k(line: string, options?: Options): Promise<string>
  /** A line that is no command: what happens beside. */
  note(text: string): void
  /** From now on `text` is written as `name`. */
  mask(text: string, name: string): void
  text(): string
}

/** Writes down what kubectl answers, with what differs from run to run masked. */
export function transcriptOf(around: {
  readonly path: string
  readonly kubeconfig: string
  readonly cache: string
  readonly cwd: string
}): Transcript {
  const names = new Map<string, string>()
  const branches = new Map<string, string>()
  const entries: string[] = []
  const written = (text: string): string => {
    let masked = text
    for (const [found, name] of names) masked = masked.replaceAll(found, name)
    return maskProposals(masked, branches)
  }
  return {
    async k(line, { env = {}, grep } = {}) {
      const place = entries.push('') - 1
      const argv = ['--kubeconfig', around.kubeconfig, '--cache-dir', around.cache, ...wordsOf(line)]
      const { code, out, err } = await kubectl(argv, '', { path: around.path, cwd: around.cwd, env })
      const kept =
        grep === undefined
          ? out
          : out
              .split('\n')
              .filter((one) => one.includes(grep))
              .join('\n')
      const command = `$ kubectl ${line}${grep === undefined ? '' : ` | grep ${grep}`}`
      const parts = [command, kept, err, code === 0 ? '' : `exit ${code}`]
      entries[place] = parts
        .map((part) => part.trimEnd())
        .filter(Boolean)
        .join('\n')
      return out + err
    },
    note: (text) => void entries.push(`# ${text}`),
    mask: (text, name) => void names.set(text, name),
    text: () => `${entries.map((entry) => written(steady(entry)).trimEnd()).join('\n\n')}\n`,
  }
}

/** Words as a shell splits them; 'single quotes' keep blanks. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''))
}

/** Branches of kubectl are named after who asks and the session, proposals end in what nobody else has: numbered as they come. */
function maskProposals(text: string, branches: Map<string, string>): string {
  return text.replace(
    /\b(kubectl-[0-9a-f]{10}|(?:update|add|delete)-agent-[a-z]+(?:-\d)?)(-[0-9a-z]{6})?\b/g,
    (_all, branch: string, end?: string) => {
      const known = branches.get(branch) ?? (branch.startsWith('kubectl-') ? `kubectl-${branches.size + 1}` : branch)
      branches.set(branch, known)
      return end === undefined ? known : `${known}-abc234`
    },
  )
}

const AGE = '(?:\\d+ms|\\d+(?:\\.\\d+)?s|\\d+m(?:\\d+s)?|\\d+h(?:\\d+m)?|<invalid>)'

/** Times, ids, numbers of the log and widths of columns, none of which a reader looks for. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>')
    .replace(/\b[0-9a-f]{64}\b/g, '<digest>')
    .replace(/\b[0-9a-f]{40}\b/g, '<commit>')
    .replace(/(resource ?version:\s+)"?\d+"?/gi, '$1<number>')
    .replace(/(Stateward-Log: )\d+/g, '$1<number>')
    .replace(new RegExp(`^(.*?)(?<= )${AGE} ago`, 'gm'), '$1<age> ago')
    .replace(new RegExp(`(?<=\\s)(?<!:\\s+)${AGE}(?: ago)?(?= {2,}|$)`, 'gm'), '<age>')
    .replace(new RegExp(`^${AGE}(?= {2,})`, 'gm'), '<age>')
    .replace(/\/\S*(LIVE|MERGED)-\d+/g, '$1')
    .replace(/^((?:---|\+\+\+) \S+)\t.*$/gm, '$1')
    .replace(/(?<=\S)(?<!^[-+]) {2,}/gm, '   ')
    .replace(/[ \t]+$/gm, '')
}
