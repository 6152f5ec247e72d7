import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { fail } from '../../lib/error-catalogue.ts'
import { globMatches } from '../../lib/glob.ts'

/** What tools of a namespace may reach. */
export interface NetworkRules {
  /** False = nothing at all. */
  readonly allowOutbound: boolean
  /** Names (with `*`), addresses and networks (`10.0.0.0/8`) that may be reached; null = whatever is no private address of somebody else. */
  readonly allow: readonly string[] | null
  /** Programs that cannot be confined are not started. Default: false. */
  readonly sandboxRequired?: boolean
}

export const OPEN: NetworkRules = { allowOutbound: true, allow: null }

/** Where machines of a cloud keep their credentials, and what stands for no machine at all. */
const NEVER = blockList(
  [
    ...['169.254.0.0/16', '0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4'],
    ...['192.0.0.192/32', '100.100.100.200/32', '168.63.129.16/32'],
  ],
  // Teredo (2001::/32) hides an address of IPv4, and nobody has it any more.
  ['fe80::/10', 'ff00::/8', '::/128', '2001::/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
)
const PRIVATE = blockList(
  ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15'],
  ['::1/128', 'fc00::/7', 'fec0::/10', '64:ff9b:1::/48'],
)

function blockList(v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [texts, family] of [[v4, 'ipv4'] as const, [v6, 'ipv6'] as const]) {
    for (const text of texts) {
      const [address = '', bits] = text.split('/')
      list.addSubnet(address, Number(bits), family)
    }
  }
  return list
}

/**
 * The address of IPv4 that one of IPv6 stands for, however it is written: mapped (`::ffff:10.0.0.1`), compatible, translated, behind
 * NAT64 (`64:ff9b::/96`) or 6to4 (`2002::/16`); any other one as it is.
 */
function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address
  const canonical = new URL(`http://[${address.split('%')[0]}]/`).hostname.slice(1, -1)
  if (canonical === '::' || canonical === '::1') return canonical
  const groups = groupsOf(canonical)
  const dotted = (at: number): string =>
    [groups[at]! >> 8, groups[at]! & 255, groups[at + 1]! >> 8, groups[at + 1]! & 255].join('.')
  if (groups[0] === 0x2002) return dotted(1)
  const prefix = groups.slice(0, 6).join()
  return BEFORE_IPV4.has(prefix) ? dotted(6) : canonical
}

const BEFORE_IPV4 = new Set(
  [
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0xffff],
    [0, 0, 0, 0, 0xffff, 0],
    [0x64, 0xff9b, 0, 0, 0, 0],
  ].map((groups) => groups.join()),
)

/** The eight numbers of a canonical address. */
function groupsOf(canonical: string): number[] {
  const [head = '', tail] = canonical.split('::')
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after]
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function names(entry: string, host: string): boolean {
  return isIP(host) === 0 && globMatches(entry.toLowerCase(), host.toLowerCase().replace(/\.$/, ''))
}

function holds(entry: string, address: string): boolean {
  const [network = '', bits] = entry.split('/')
  if (isIP(network) === 0) return false
  const list = new BlockList()
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  const most = family === 'ipv6' ? 128 : 32
  const prefix = bits === undefined ? most : Number(bits)
  // What is no network names none.
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) return false
  list.addSubnet(network, prefix, family)
  return isIn(list, address)
}

export interface Reach {
  readonly rules: NetworkRules
  /** The call was asked for by an agent: private addresses only where the rules name them. */
  readonly byAgent: boolean
}

function refused(host: string, why: string): Error {
  return fail('SW_OUTBOUND_DENIED', `${host} may not be reached: ${why}`, { details: { host } })
}

/** Throws SW_OUTBOUND_DENIED unless an address, reached by this name, is within the rules. */
export function checkAddress({ rules, byAgent }: Reach, host: string, given: string): void {
  const address = plainAddress(given)
  if (!rules.allowOutbound) throw refused(host, 'the environment lets nothing out')
  const isNamed = rules.allow?.some((entry) => names(entry, host) || holds(entry, address)) === true
  if (isIn(NEVER, address) && rules.allow?.some((entry) => holds(entry, address)) !== true)
    throw refused(host, `${address} is an address of the network itself`)
  if (isNamed) return
  if (rules.allow !== null) throw refused(host, 'network.allow of the environment does not name it')
  if (byAgent && isIn(PRIVATE, address))
    throw refused(host, `${address} is a private address, which agents reach only where network.allow names it`)
}

/** Finds an address and lets only one through that is within the rules: the very address that is connected to. */
export function lookupWithin(reach: Reach): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '')
      try {
        for (const { address } of addresses) checkAddress(reach, host, address)
      } catch (problem) {
        return done(problem as NodeJS.ErrnoException, '')
      }
      if (options.all === true) return done(null, addresses)
      const [first] = addresses
      done(null, first!.address, first!.family)
    })
  }
}

/** A host as it stands in a URL or a parameter; an address is checked at once, a name when it is looked up. */
export function checkHost(reach: Reach, host: string): void {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  if (!reach.rules.allowOutbound) throw refused(host, 'the environment lets nothing out')
  if (isIP(bare) !== 0) checkAddress(reach, bare, bare)
}

/** The first of them. */
export async function addressWithin(reach: Reach, host: string): Promise<string> {
  return (await addressesWithin(reach, host))[0]!
}

/** The addresses a host is reached by, for programs that are told them. Throws SW_OUTBOUND_DENIED, SW_TOOL_FAILED. */
export async function addressesWithin(reach: Reach, host: string): Promise<readonly string[]> {
  checkHost(reach, host)
  if (isIP(host) !== 0) return [host]
  return await new Promise((resolve, reject) =>
    lookupWithin(reach)(host, { all: true }, (error, found) => {
      if (error === null) resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address))
      else if ('ref' in error) reject(error)
      else reject(fail('SW_TOOL_FAILED', `${host} has no address: ${error.message}`, { cause: error }))
    }),
  )
}
