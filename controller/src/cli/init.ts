import { relative, resolve } from 'node:path'
import { Option } from 'commander'
import { shellWord } from '../lib/shell-word.ts'
import { OUTPUT_FLAG } from './operands.ts'
import { renderJson } from './print/structured.ts'
import { createStateRepo } from './starter/create-state-repo.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '[directory]',
  description:
    'Writes a new state repo from the starter (agents, blueprints and a tool that work without any key) and makes its first commit.\n' +
    'The folder has to be new, empty, or a clone of an empty repository.',
  examples: [
    ['stateward init my-agents', 'then: stateward up --repo my-agents'],
    ['git clone git@example.org:team/agents.git && stateward init agents', 'start a repository of a forge'],
    ['stateward init --bare /srv/agents.git', 'a repository to push to'],
  ],
  settings: [],
  define: (command) =>
    void command
      .option('--bare', 'make a bare repository, without files beside it')
      .addOption(new Option(OUTPUT_FLAG, 'how to print').choices(['text', 'json']).default('text')),
  async run(call) {
    const { terminal, options } = call
    const directory = resolve(terminal.cwd, call.args[0] ?? 'state-repo')
    const made = await createStateRepo({ directory, bare: options['bare'] === true, time: terminal.clock.now() })
    if (options['output'] === 'json') await terminal.out(renderJson({ directory, ...made }))
    else {
      const near = relative(terminal.cwd, directory) || '.'
      const shown = shellWord(near.startsWith('..') ? directory : near)
      await terminal.out(
        `${directory}: the starter is commit ${made.commit.slice(0, 7)} on ${made.branch}\nnext: stateward up --repo ${shown}${made.branch === 'main' ? '' : ` --ref ${shellWord(made.branch)}`}\n`,
      )
    }
    return 0
  },
}
