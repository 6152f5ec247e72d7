import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requires } from '../support/requires.ts'
import { type SshServer, startSshServer } from '../support/ssh-server.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

const sshd = requires('sshd')

describe.skipIf(!sshd.available)(`ssh.run ${sshd.reason}`, () => {
  let server: SshServer
  let stack: ToolStack
  const target = () => `${server.user}@127.0.0.1:${server.port}`
  const cmd = (literal: string, ...args: string[]) => ({ literal, args })
  beforeAll(async () => {
    server = await startSshServer()
    stack = await startToolStack({
      'ssh/key': server.key,
      'ssh/known_hosts': server.knownHosts,
      'ssh/user': server.user,
    })
  })
  afterAll(async () => {
    await stack.close()
    await server.stop()
  })

  it('runs a command on a host whose key is known, and says what it printed', async () => {
    const output = await stack.call('ssh.run', { host: `127.0.0.1:${server.port}`, cmd: cmd('echo out; echo err >&2') })
    expect(output).toEqual({ exitCode: 0, stdout: 'out\n', stderr: 'err\n' })
    expect(await stack.call('ssh_run', { host: target(), cmd: cmd('cat'), stdin: 'in' })).toMatchObject({
      stdout: 'in',
    })
  })

  it('passes values as arguments, whatever they hold', async () => {
    const evil = `nginx; touch pwned; echo $(id) 'quoted' "too" \`x\` \n end`
    const output = await stack.call('ssh.run', { host: target(), cmd: cmd('printf %s "$1"', evil) })
    expect(output).toMatchObject({ stdout: evil })
  })

  it('fails with the exit code, unless it is one that is expected', async () => {
    await expect(stack.call('ssh.run', { host: target(), cmd: cmd('echo no >&2; exit 3') })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: expect.stringContaining('exit code 3: no'),
    })
    const output = await stack.call('ssh.run', { host: target(), cmd: cmd('exit 3'), okExitCodes: [0, 3] })
    expect(output).toMatchObject({ exitCode: 3 })
  })

  it('talks to no host whose key is another one, and to none it knows no key of', async () => {
    const wrong = `SHA256:${'A'.repeat(43)}`
    await expect(stack.call('ssh.run', { host: target(), cmd: cmd('true'), hostKey: wrong })).rejects.toMatchObject({
      message: expect.stringContaining('is not the one that is known'),
    })
    const right = await stack.call('ssh.run', { host: target(), cmd: cmd('true'), hostKey: server.fingerprint })
    expect(right).toMatchObject({ exitCode: 0 })
    const other = await startToolStack({ 'ssh/key': server.key })
    await expect(other.call('ssh.run', { host: target(), cmd: cmd('true') })).rejects.toMatchObject({
      ref: 'SW_SECRET_MISSING',
    })
    await other.close()
  })

  it('ends when it is told to', async () => {
    const signal = AbortSignal.timeout(300)
    await expect(stack.call('ssh.run', { host: target(), cmd: cmd('sleep 60') }, { signal })).rejects.toMatchObject({
      ref: 'SW_CANCELLED',
    })
  })

  it('is refused where nothing is let out', async () => {
    const closed = await startToolStack({}, undefined, { network: { allowOutbound: false, allow: null } })
    await expect(closed.call('ssh.run', { host: target(), cmd: cmd('true') })).rejects.toMatchObject({
      ref: 'SW_OUTBOUND_DENIED',
    })
    await closed.close()
  })
})
