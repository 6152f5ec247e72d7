import { Option } from 'commander'
import type { LoadedConfig } from '../config/load-config.ts'
import { SETTINGS } from '../config/settings.ts'
import { fail } from '../lib/error-catalogue.ts'
import { valueAt } from '../lib/json.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { renderTable } from './print/table.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '[print]',
  description:
    'Shows every setting, its value and where it comes from: a flag, a variable, the file, or the default. Secrets are masked.',
  examples: [
    ['stateward config'],
    ['stateward config -o json'],
    ['STATEWARD_PORT=9000 stateward config --data /var/lib/stateward'],
  ],
  settings: SETTINGS.map((setting) => setting.path),
  define: (command) =>
    void command.addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['table', 'json']).default('table')),
  async run(call) {
    if (call.args.length > 0 && call.args[0] !== 'print')
      throw fail('SW_USAGE', `"${call.args[0]}" is nothing config does`)
    const rows = configRows(call.config())
    const { terminal } = call
    await terminal.out(
      call.options['output'] === 'json' ? renderJson(rows) : renderConfig(rows, call.config().file, terminal.columns),
    )
    return 0
  },
}

export interface ConfigRow {
  readonly setting: string
  readonly value: unknown
  readonly origin: string
  readonly variable: string
}

/** Every setting with its origin; a secret that is set shows as `***`. */
export function configRows({ config, origins }: LoadedConfig): ConfigRow[] {
  const rows = SETTINGS.map(({ path, variable, secret }) => {
    const value = valueAt(config, `/${path.replaceAll('.', '/')}`)
    return {
      setting: path,
      value: secret && value !== null ? MASK : value,
      origin: origins.get(path) ?? 'default',
      variable,
    }
  })
  const secrets = Object.keys(config.secrets).map((variable) => ({
    setting: 'secret',
    value: MASK,
    origin: variable,
    variable,
  }))
  return [...rows, ...secrets]
}

const MASK = '***'

export function renderConfig(rows: readonly ConfigRow[], file: string, width: number | null): string {
  const columns = [
    { head: 'Setting' },
    { head: 'Value', shrinks: true },
    { head: 'From', shrinks: true },
    { head: 'Variable' },
  ]
  const cells = rows.map(({ setting, value, origin, variable }) => [setting, textOf(value), origin, variable])
  return `${renderTable(columns, cells, { width })}\nfile: ${file}\n`
}

function textOf(value: unknown): string {
  if (value === null) return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',')
  return String(value)
}
