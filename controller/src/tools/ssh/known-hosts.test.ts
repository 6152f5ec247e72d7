import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isKnownHost } from './known-hosts.ts'

const key = Buffer.from('the key of a host')
const other = Buffer.from('some other key!!!')
const line = (names: string, of = key) => `${names} ssh-ed25519 ${of.toString('base64')} comment`
const web = { host: 'web-1', port: 22 }

describe('lines of known_hosts', () => {
  test('name a host by its name, its port, a pattern or a hash', () => {
    expect(isKnownHost(`# hosts\n\n${line('web-1,10.0.0.1')}\n`, web, key)).toBe(true)
    expect(isKnownHost(line('[web-1]:2222'), { host: 'web-1', port: 2222 }, key)).toBe(true)
    expect(isKnownHost(line('web-1'), { host: 'web-1', port: 2222 }, key)).toBe(false)
    expect(isKnownHost(line('web-*,!web-1'), web, key)).toBe(false)
    expect(isKnownHost(line('*.example.com'), { host: 'a.example.com', port: 22 }, key)).toBe(true)
    const salt = Buffer.from('salt')
    const hash = createHmac('sha1', salt).update('web-1').digest('base64')
    expect(isKnownHost(line(`|1|${salt.toString('base64')}|${hash}`), web, key)).toBe(true)
    expect(isKnownHost(line(`|1|${salt.toString('base64')}|${hash}`), { host: 'web-2', port: 22 }, key)).toBe(false)
  })

  test('know no other key, and none that is revoked', () => {
    expect(isKnownHost(line('web-1', other), web, key)).toBe(false)
    expect(isKnownHost(`${line('web-1')}\n@revoked ${line('*')}`, web, key)).toBe(false)
    expect(isKnownHost(`@cert-authority ${line('*')}`, web, key)).toBe(false)
    expect(isKnownHost('', web, key)).toBe(false)
  })
})
