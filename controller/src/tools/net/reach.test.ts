import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkAddress, checkHost, type NetworkRules, OPEN } from './reach.ts'

const may = (address: string, rules: NetworkRules = OPEN, byAgent = false, host = address): boolean => {
  try {
    checkAddress({ rules, byAgent }, host, address)
    return true
  } catch (error) {
    expect(error).toMatchObject({ ref: 'SW_OUTBOUND_DENIED' })
    return false
  }
}

describe('what tools may reach', () => {
  test('is everything but addresses of the network itself, however they are written', () => {
    expect(['93.184.216.34', '10.1.2.3', '127.0.0.1', '::1', '2606:2800::1'].map((one) => may(one))).not.toContain(
      false,
    )
    const never = [
      '169.254.169.254',
      '0.0.0.0',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      'fe80::1',
      '::',
      'fd00:ec2::254',
      // The same address for a gateway to IPv4, a relay, a translator and a tunnel.
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::1',
      '::ffff:0:a9fe:a9fe',
      '2001:0:4136:e378:8000:63bf:5601:5601',
      '168.63.129.16',
      '240.0.0.1',
    ]
    expect(never.map((one) => may(one))).not.toContain(true)
  })

  test('has no private address in it for agents, unless the rules name it', () => {
    const own = [
      '127.0.0.1',
      '10.1.2.3',
      '192.168.1.1',
      '172.31.0.1',
      '100.64.0.1',
      '::1',
      'fd12::1',
      '::ffff:127.0.0.1',
      '64:ff9b::10.0.0.1',
      '2002:a00:1::',
      'fec0::1',
    ]
    expect(own.map((one) => may(one, OPEN, true))).not.toContain(true)
    expect(may('127.0.0.1', { allowOutbound: true, allow: ['localhost'] }, true, 'localhost')).toBe(true)
    expect(may('10.1.2.3', { allowOutbound: true, allow: ['10.0.0.0/8'] }, true)).toBe(true)
    expect(may('93.184.216.34', OPEN, true)).toBe(true)
  })

  test('is what the rules name, and nothing else, where they name anything', () => {
    const rules = { allowOutbound: true, allow: ['*.example.com', '192.0.2.7'] }
    expect(may('93.184.216.34', rules, false, 'api.example.com')).toBe(true)
    expect(may('93.184.216.34', rules, false, 'API.example.com.')).toBe(true)
    expect(may('192.0.2.7', rules)).toBe(true)
    expect(may('93.184.216.34', rules, false, 'example.com.evil.org')).toBe(false)
    // A name that is allowed leads to no address of the network itself.
    expect(may('169.254.169.254', rules, false, 'api.example.com')).toBe(false)
  })

  test('is nothing where nothing is let out', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => !may(address, { allowOutbound: false, allow: ['*', '0.0.0.0/0'] })))
    expect(() => checkHost({ rules: { allowOutbound: false, allow: null }, byAgent: false }, 'example.com')).toThrow()
  })
})
