import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { connectionOf, isThisMachine } from './client/connect.ts'
import { readText, writeSafely } from './kubeconfig/file.ts'
import { type ContextOf, withContext } from './kubeconfig/with-context.ts'
import { namespaceOf, namespaceOption, textOption } from './operands.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  description:
    'Writes a context into your kubeconfig, with which kubectl speaks to this server over TLS with your credential. What else stands there stays as it is.',
  examples: [
    ['stateward kubeconfig && kubectl config use-context stateward', 'from now on: kubectl get agents'],
    [
      'stateward kubeconfig --file ./stateward.kubeconfig',
      'a file of its own: KUBECONFIG=./stateward.kubeconfig kubectl …',
    ],
    ['stateward kubeconfig --stdout', 'only print it, with the credential'],
    ['stateward kubeconfig --token swk_… --context prod', 'another credential, another name'],
  ],
  define: (command) =>
    void namespaceOption(command)
      .option('--context <name>', 'name of the context, the cluster and the user (default: stateward)')
      .option('--file <path>', 'the file to write (default: the first of KUBECONFIG, else ~/.kube/config)')
      .option('--stdout', 'print it instead'),
  async run(call) {
    const { terminal, options } = call
    const context = await contextOf(call)
    if (options['stdout'] === true) {
      await terminal.out(withContext(null, context))
      return 0
    }
    const file = fileOf(call)
    await writeSafely(file, withContext(await readText(file), context))
    await terminal.out(
      `context ${context.name} is in ${file}\nnext: kubectl config use-context ${context.name} && kubectl get agents\n`,
    )
    return 0
  },
}

async function contextOf(call: VerbCall): Promise<ContextOf> {
  const client = await call.client()
  const { url, ca } = await client.call('readTls', {})
  const { token, user } = await connectionOf(call.config())
  if (token === null)
    throw fail('SW_UNAUTHENTICATED', 'there is no credential to write down', {
      remedy: 'use --token, set STATEWARD_TOKEN, or call it where the data folder of the server is',
    })
  return {
    name: textOption(call.options, 'context') ?? 'stateward',
    server: `${reachable(url, client.server)}/kube`,
    authority: ca,
    // The admin credential speaks for whoever holds it: kubectl sends a name only together with a password.
    user: user === null ? { token } : { username: user.replace(/^user:/, ''), password: token },
    namespace: namespaceOf(call.options),
  }
}

/** The listener over TLS by the name the server was called by, unless that is this machine. */
function reachable(url: string, called: string): string {
  if (isThisMachine(called)) return url
  const secure = new URL(url)
  secure.hostname = new URL(called).hostname
  return secure.origin
}

function fileOf({ terminal, options }: VerbCall): string {
  const named = textOption(options, 'file') ?? terminal.env['KUBECONFIG']?.split(delimiter).find((path) => path !== '')
  return resolve(terminal.cwd, named ?? join(terminal.env['HOME'] ?? homedir(), '.kube', 'config'))
}
