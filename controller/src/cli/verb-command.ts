import { type Command, Option } from 'commander'
import { describeSetting } from '../config/load-config.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import { CLIENT_SETTINGS, type Verb } from './verb.ts'
import type { VerbEntry } from './verbs.ts'

/** Gives a command the arguments, options and examples of its verb. */
export function defineVerb(command: Command, entry: VerbEntry, verb: Verb): void {
  if (verb.arguments !== undefined) command.arguments(verb.arguments)
  command.description(verb.description ?? entry.summary)
  verb.define?.(command)
  for (const path of verb.settings ?? CLIENT_SETTINGS) command.addOption(settingOption(path))
  const width = Math.max(...verb.examples.map(([line]) => line.length))
  const lines = verb.examples.map(([line, remark]) =>
    remark === undefined ? `  ${line}` : `  ${line.padEnd(width)}  # ${remark}`,
  )
  if (lines.length > 0) command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

function settingOption(path: string): Option {
  const setting = settingOf(path)
  const flags = setting.placeholder === '' ? `--${setting.flag}` : `--${setting.flag} <${setting.placeholder}>`
  return new Option(flags, `${describeSetting(path)} (${setting.variable})`).helpGroup('Settings:')
}

export function settingOf(path: string): Setting {
  const setting = SETTINGS.find((known) => known.path === path)
  if (setting === undefined) throw new Error(`no setting ${path}`)
  return setting
}
