import { resolve } from 'node:path'
import { Option } from 'commander'
import { planDirectory } from '../build/plan-repository.ts'
import { issueLines } from '../plan/render/terminal.ts'
import { planJson } from './print/plan-json.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '[folder]',
  description:
    'Checks every document of a folder: schema, references, cycles, expressions. Needs no server.\n\nExit code: 0 when nothing is wrong, 1 otherwise.',
  examples: [
    ['stateward validate', 'the current folder'],
    ['stateward validate state-repo', 'another one'],
    ['stateward validate -o json | jq .issues', 'for scripts'],
  ],
  settings: [],
  define: (command) =>
    void command.addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'),
    ),
  async run({ args, options, terminal }) {
    const folder = resolve(terminal.cwd, args[0] ?? '.')
    const plan = await planDirectory(folder, { percent: 100, count: 0 })
    const errors = plan.issues.filter((issue) => issue.severity === 'error').length
    if (options['output'] === 'json') await terminal.out(planJson(plan, null))
    else {
      const { colors } = terminal
      for (const line of plan.issues.flatMap((issue) => issueLines(issue, colors))) await terminal.out(`${line}\n`)
      const objects = plan.counts.create + plan.counts.blocked
      const ignored = plan.ignored === 0 ? '' : `, ${plan.ignored} documents of other tools ignored`
      const warnings = plan.issues.length - errors
      const warned = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`
      const verdict =
        errors > 0
          ? `${colors.red(counted(errors, 'error'))}${warned}`
          : colors.green(warned === '' ? 'nothing wrong' : `no errors${warned}`)
      await terminal.out(`${objects} ${objects === 1 ? 'object' : 'objects'}: ${verdict}${ignored}\n`)
    }
    return errors === 0 ? 0 : 1
  },
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
