import { fail } from '../lib/error-catalogue.ts'
import { connectionOf } from './client/connect.ts'
import { openInBrowser } from './open-browser.ts'
import { textOption } from './operands.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  description:
    'Opens the page of the server in your browser by a link that signs it in, and prints the link. It works once, for five minutes; the browser then reads for twelve hours, and changes nothing. Where nobody has to sign in, the link is simply the address of the page.',
  examples: [
    ['stateward ui', 'opens it; where there is no desktop, open what it prints'],
    ['stateward ui --no-open | xclip', 'only prints it, as it does into a pipe'],
    ['stateward ui --at https://stateward.example.org', 'the page has another address than the API'],
  ],
  define: (command) =>
    void command
      .option('--at <url>', 'address of the page (default: that of the server)')
      .option('--no-open', 'print the link, and open nothing'),
  async run(call) {
    const { terminal, options } = call
    const link = await linkOf(call)
    await terminal.out(`${link}\n`)
    if (options['open'] !== false && terminal.columns !== null) await openInBrowser(link, terminal.env)
    return 0
  },
}

async function linkOf(call: VerbCall): Promise<string> {
  const client = await call.client()
  const at = textOption(call.options, 'at') ?? client.server
  if (!URL.canParse(at)) throw fail('SW_USAGE', `${at} is not an address: it begins with http:// or https://`)
  // Without a credential nobody is asked for one, or the page says so itself.
  const { token } = await connectionOf(call.config())
  if (token === null) return new URL('/ui/', at).href
  const { path } = await client.call('createPageLink', {})
  return new URL(path, at).href
}
