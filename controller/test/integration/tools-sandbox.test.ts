import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ToolSpec } from '../../src/kinds/tool/tool.schema.ts'
import type { NetworkRules } from '../../src/tools/net/reach.ts'
import { findSandbox, NONE, type Sandbox } from '../../src/tools/sandbox/sandbox.ts'
import { requires } from '../support/requires.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

const bubblewrap = requires('bubblewrap')
const stacks: ToolStack[] = []
async function stackWith(options: { network?: NetworkRules; sandbox?: Sandbox } = {}): Promise<ToolStack> {
  const stack = await startToolStack({}, undefined, options)
  stacks.push(stack)
  return stack
}
afterAll(async () => {
  for (const stack of stacks) await stack.close()
})

const shell = (script: string, more: Partial<ToolSpec> = {}): ToolSpec => ({
  executor: { command: { command: ['sh', '-c', script] } },
  ...more,
})
async function printed(stack: ToolStack, script: string, more: Partial<ToolSpec> = {}): Promise<string> {
  const name = `t${Math.random().toString(36).slice(2)}`
  stack.declare(name, shell(script, more))
  return ((await stack.call(name, {})) as { text: string }).text.trim()
}

describe.skipIf(!bubblewrap.available)(`a program in a sandbox ${bubblewrap.reason}`, () => {
  let sandbox: Sandbox
  let hidden: ToolStack
  let url: string
  const web = createServer((_request, response) => response.end('reached'))
  beforeAll(async () => {
    hidden = await stackWith()
    await hidden.call('fs.write', { path: 'secret', content: 'of the data folder' })
    sandbox = await findSandbox({ path: process.env['PATH'] ?? '', home: homedir(), hidden: [hidden.workspace] })
    expect(sandbox.problem).toBe(null)
    web.listen(0, '127.0.0.1')
    await new Promise((resolve) => web.once('listening', resolve))
    url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
  })
  afterAll(() => web.close())

  it('writes to its workspace and nowhere else, and sees neither the data folder nor keys', async () => {
    const stack = await stackWith({ sandbox })
    expect(await printed(stack, 'echo mine > file; cat file')).toBe('mine')
    expect(await stack.call('fs.read', { path: 'file' })).toMatchObject({ content: 'mine\n' })
    expect(await printed(stack, 'touch /usr/x /etc/x 2>&1 | grep -c Read-only')).toBe('2')
    expect(
      await printed(stack, `ls ${hidden.workspace} ${join(homedir(), '.ssh')} 2>/dev/null | grep -c secret || true`),
    ).toBe('0')
    // What it writes to /tmp is its own.
    await printed(stack, 'touch /tmp/only-here')
    expect(await printed(stack, 'ls /tmp/only-here 2>&1 | grep -c cannot')).toBe('1')
  })

  it('sees no process but its own, and has no rights of root', async () => {
    const stack = await stackWith({ sandbox })
    expect(await printed(stack, `kill -0 ${process.pid} 2>/dev/null && echo seen || echo alone`)).toBe('alone')
    expect(await printed(stack, 'grep CapEff /proc/self/status | cut -f2')).toMatch(/^0+$/)
  })

  it('reaches the network unless its Tool or the environment closes it', async () => {
    const reach = `node -e "fetch('${url}').then(r => r.text()).then(console.log, () => console.log('closed'))"`
    expect(await printed(await stackWith({ sandbox }), reach)).toBe('reached')
    expect(await printed(await stackWith({ sandbox }), reach, { sandbox: { network: false } })).toBe('closed')
    for (const network of [
      { allowOutbound: false, allow: null },
      { allowOutbound: true, allow: ['example.com'] },
    ]) {
      const stack = await stackWith({ sandbox, network })
      expect(await printed(stack, reach)).toBe('closed')
      // Trust is about files; what the environment closes is closed to everybody.
      expect(await printed(stack, reach, { trusted: true })).toBe('closed')
      const run = await stack.call('process.run', { command: ['sh', '-c', reach] })
      expect(run).toMatchObject({ stdout: 'closed\n' })
    }
  })

  it('is what process.run starts, too, with its exit code and its end by a signal', async () => {
    const stack = await stackWith({ sandbox })
    await expect(stack.call('process.run', { command: ['sh', '-c', 'exit 7'] })).rejects.toMatchObject({
      message: expect.stringContaining('exit code 7'),
    })
    await expect(stack.call('process.run', { command: ['no-such-program'] })).rejects.toMatchObject({
      message: expect.stringContaining('could not be started'),
    })
    const signal = AbortSignal.timeout(200)
    await expect(stack.call('process.run', { command: ['sleep', '60'] }, { signal })).rejects.toMatchObject({
      ref: 'SW_CANCELLED',
    })
  })

  it('runs as it is when it is trusted', async () => {
    const stack = await stackWith({ sandbox })
    expect(await printed(stack, `kill -0 ${process.pid} && echo seen`, { trusted: true })).toBe('seen')
  })
})

describe('without a sandbox', () => {
  it('a program is refused where it has to be confined, and says so in its log where it need not be', async () => {
    const sandbox = NONE('bubblewrap is not installed')
    const unavailable = {
      ref: 'SW_SANDBOX_UNAVAILABLE',
      message: expect.stringContaining('bubblewrap is not installed'),
    }
    const stack = await stackWith({ sandbox })
    expect(await printed(stack, 'echo ran')).toBe('ran')
    expect(stack.lines.join()).toContain('not confined: bubblewrap is not installed')
    await expect(printed(stack, 'echo', { sandbox: { required: true } })).rejects.toMatchObject(unavailable)
    await expect(printed(stack, 'echo', { sandbox: { network: false } })).rejects.toMatchObject(unavailable)
    for (const network of [
      { allowOutbound: false, allow: null },
      { allowOutbound: true, allow: ['example.com'] },
      { allowOutbound: true, allow: null, sandboxRequired: true },
    ]) {
      const closed = await stackWith({ sandbox, network })
      await expect(printed(closed, 'echo')).rejects.toMatchObject(unavailable)
      await expect(closed.call('process.run', { command: ['true'] })).rejects.toMatchObject(unavailable)
    }
  })

  it('a program has its limits all the same', async () => {
    const stack = await stackWith()
    const limits = (more: NonNullable<ToolSpec['sandbox']>['limits']) =>
      ({ sandbox: { limits: more } }) as Partial<ToolSpec>
    await expect(printed(stack, 'head -c 3000000 /dev/zero > big', limits({ fileSizeMb: 1 }))).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
    await expect(printed(stack, 'while :; do :; done', limits({ cpuSeconds: 1 }))).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
    expect(await printed(stack, 'ulimit -n', limits({ openFiles: 64 }))).toBe('64')
    // No word of the program is read by the shell that sets them.
    stack.declare('odd', { executor: { command: { command: ['printf', '%s', '$(id); "x" $1'] } } })
    expect(await stack.call('odd', {})).toEqual({ text: '$(id); "x" $1' })
  })

  it('parts of a result that a Tool hides are hidden', async () => {
    const stack = await stackWith()
    stack.declare('login', { ...shell(`echo '{"user":"ada","token":"t"}'`), redact: ['/token'] })
    expect(await stack.call('login', {})).toEqual({ user: 'ada', token: '[redacted]' })
  })
})
