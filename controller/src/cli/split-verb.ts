import { optionName, SETTINGS } from '../config/settings.ts'

export interface SplitLine {
  /** null when there is none. */
  readonly name: string | null
  /** The line from the verb on. */
  readonly args: readonly string[]
  /** Settings that stood before the verb, by option name. */
  readonly leading: Readonly<Record<string, unknown>>
}

/** Which verb a command line calls: in `--data d get agents` it is `get`, and the data folder is `d`. */
export function splitVerb(argv: readonly string[]): SplitLine {
  if (argv.length === 0) return { name: null, args: ['--help'], leading: {} }
  if (argv[0] === '--version' || argv[0] === '-V')
    return { name: 'version', args: ['version', ...argv.slice(1)], leading: {} }
  const leading: Record<string, unknown> = {}
  let at = 0
  while (argv[at]?.startsWith('--')) {
    const [flag, inline] = argv[at]!.slice(2).split(/=(.*)/s)
    const setting = SETTINGS.find((known) => known.flag === flag)
    const value = setting?.placeholder === '' ? true : (inline ?? argv[at + 1])
    if (setting === undefined || value === undefined) return { name: null, args: argv.slice(at), leading }
    leading[optionName(setting.flag)] = value
    at += value === true || inline !== undefined ? 1 : 2
  }
  const name = argv[at]
  if (name === undefined) return { name: null, args: ['--help'], leading }
  return { name: name === 'help' ? (argv[at + 1] ?? null) : name, args: argv.slice(at), leading }
}
