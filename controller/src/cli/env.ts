import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import type { ExitCode, Verb, VerbCall } from './verb.ts'

export const ENV_TEMPLATE = `# Variables that Stateward reads when it is started in this folder. What the environment says itself comes first.
# Keep this file to yourself: it is for secrets. A line that begins with # says nothing.

# Keys of providers of models that name no secret (ModelProvider without secretRef).
#OPENAI_API_KEY=
#ANTHROPIC_API_KEY=

# A secret that an object names: secretRef {name: github, key: token}.
#STATEWARD_SECRET_GITHUB_TOKEN=

# A Postgres of your own, instead of the one that is brought along.
#DATABASE_URL=postgres://stateward@127.0.0.1:5432/stateward

# Where the API listens.
#STATEWARD_PORT=8088
`

export const verb: Verb = {
  arguments: '<init> [file]',
  description:
    'Writes a template of the variables that Stateward reads from `.env` in the folder it is started in. A file that is there is left alone.',
  examples: [['stateward env init'], ['stateward env init deploy/.env', 'another place']],
  settings: [],
  run(call) {
    const [word, file = '.env', ...more] = call.args
    if (word === 'init' && more.length === 0) return init(call, file)
    throw fail('SW_USAGE', 'it is: stateward env init [file]')
  },
}

async function init({ terminal }: VerbCall, file: string): Promise<ExitCode> {
  const path = resolve(terminal.cwd, file)
  try {
    await writeFile(path, ENV_TEMPLATE, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    throw fail('SW_CONFLICT', `${path} is there already`, { remedy: 'edit it, or name another file' })
  }
  await terminal.out(`${path}: fill in what you need, then check it: stateward doctor\n`)
  return 0
}
