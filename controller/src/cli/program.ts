import { Command, CommanderError } from 'commander'
import { loadConfig } from '../config/load-config.ts'
import { optionName } from '../config/settings.ts'
import { ERRORS } from '../lib/error-catalogue.ts'
import { connect } from './client/connect.ts'
import { reportError } from './report-error.ts'
import { splitVerb } from './split-verb.ts'
import type { Terminal } from './terminal.ts'
import { CLIENT_SETTINGS, type ExitCode, type Verb, type VerbCall } from './verb.ts'
import { defineVerb, settingOf } from './verb-command.ts'
import { VERBS } from './verbs.ts'

const ABOUT = 'GitOps for AI agents: what is merged is what runs.'

/**
 * Runs one command line and resolves to the exit code; never throws. Only the file of the verb that was typed is loaded.
 */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  try {
    const { name, args, leading } = splitVerb(argv)
    if (name === '__complete') return await completeLine(args.slice(1), terminal)
    const program = newProgram(terminal)
    for (const entry of VERBS) {
      const command = program.command(entry.name)
      command.summary(entry.summary).description(entry.summary).helpGroup(entry.group)
      if (entry.name !== name) continue
      const { verb } = await entry.load()
      defineVerb(command, entry, verb)
      command.action(async () => {
        code = await verb.run(callOf(command, verb, leading, terminal))
      })
    }
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return reportError(error, terminal)
  }
  return code
}

/** Shells call this with the words typed so far; what is no verb of ours is not parsed as one. */
async function completeLine(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { completeWords } = await import('./complete.ts')
  const client = (flags: Readonly<Record<string, unknown>>) =>
    connect(loadConfig({ env: terminal.env, flags, cwd: terminal.cwd }))
  for (const word of await completeWords(words, client)) await terminal.out(`${word}\n`)
  return 0
}

function newProgram(terminal: Terminal): Command {
  const usage = `  remedy: ${ERRORS.SW_USAGE.remedy} [SW_USAGE]\n`
  return new Command('stateward')
    .description(ABOUT)
    .usage('<verb> [arguments]')
    .helpCommand('help [verb]', 'show the help of a verb')
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(terminal.columns ?? 100, 100) })
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr: (text) => void terminal.err(text),
      outputError: (text, write) => write(`${text.trimEnd()}\n${usage}`),
      getOutHelpWidth: () => Math.min(terminal.columns ?? 100, 100),
      getOutHasColors: () => terminal.colors.isColorSupported,
      getErrHasColors: () => terminal.colors.isColorSupported,
    })
}

function callOf(
  command: Command,
  verb: Verb,
  leading: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): VerbCall {
  const options = command.opts() as Record<string, unknown>
  const flags: Record<string, unknown> = { ...leading }
  for (const path of verb.settings ?? CLIENT_SETTINGS) {
    const option = optionName(settingOf(path).flag)
    if (options[option] !== undefined) flags[option] = options[option]
  }
  // The verb whose own --data is something else.
  if (options['dataDir'] !== undefined) flags['data'] = options['dataDir']
  let loaded: ReturnType<typeof loadConfig> | undefined
  const config = () => {
    loaded ??= loadConfig({ env: terminal.env, flags, cwd: terminal.cwd })
    return loaded
  }
  return { args: command.args, options, flags, terminal, config, client: () => connect(config()) }
}
