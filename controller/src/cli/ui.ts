import { fail } from '../lib/error-catalogue.ts'
import { connectionOf } from './client/connect.ts'
import { textOption } from './operands.ts'
import type { Verb, VerbCall } from './verb.ts'

export const verb: Verb = {
  description:
    'Prints a link that signs a browser in to the page of the server. It works once, for five minutes; the browser then reads for twelve hours, and changes nothing. Where nobody has to sign in, the link is simply the address of the page.',
  examples: [
    ['stateward ui', 'open what it prints'],
    ['stateward ui --at https://stateward.example.org', 'the page has another address than the API'],
  ],
  define: (command) => void command.option('--at <url>', 'address of the page (default: that of the server)'),
  async run(call) {
    await call.terminal.out(`${await linkOf(call)}\n`)
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
