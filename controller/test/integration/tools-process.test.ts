import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

let stack: ToolStack

beforeEach(async () => {
  stack = await startToolStack({ 'keys/api': 'hunter2-secret' })
})

afterEach(() => stack.close())

const sh = (script: string) => ['sh', '-c', script]
const missing = (path: string) => expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })

async function alive(pid: number): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    try {
      if (/^\d+ \(.*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) return false
    } catch {
      return false
    }
    await sleep(20)
  }
  return true
}

describe('process.run', () => {
  test('runs words, not shell text, in the workspace', async () => {
    const output = await stack.call('process.run', { command: ['printf', '%s|', 'a b', '$(touch pwned)', ';', '`id`'] })
    expect(output).toEqual({ exitCode: 0, stdout: 'a b|$(touch pwned)|;|`id`|', stderr: '' })
    await missing(join(stack.workspace, 'pwned'))
    expect(await stack.call('process_run', { command: ['pwd'] })).toMatchObject({ stdout: `${stack.workspace}\n` })
  })

  test('passes stdin and its own variables, and of the rest an allow-list', async () => {
    const output = (await stack.call('process.run', {
      command: sh('cat; env | sort'),
      stdin: 'in\n',
      env: { MINE: 'x' },
    })) as { stdout: string }
    expect(output.stdout).toMatch(/^in\n/)
    expect(output.stdout).toContain('MINE=x')
    expect(output.stdout).toContain(`HOME=${stack.workspace}\n`)
    expect(output.stdout).toContain('STATEWARD_OPERATION_ID=run-1/step/1')
    expect(output.stdout).not.toContain('SECRET_OF_THE_CONTROLLER')
  })

  test('an exit code that is not expected is a failure with what the program said', async () => {
    const failing = { command: sh('echo out; echo the disk is full >&2; exit 3') }
    await expect(stack.call('process.run', failing)).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: expect.stringContaining('exit code 3: the disk is full'),
      details: { exit_code: 3, retryable: false },
    })
    expect(stack.lines).toEqual(['the disk is full'])
    expect(await stack.call('process.run', { ...failing, okExitCodes: [0, 3] })).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'the disk is full\n',
    })
    await expect(stack.call('process.run', { command: sh('kill -TERM $$') })).rejects.toMatchObject({
      details: { exit_code: 143 },
    })
    await expect(stack.call('process.run', { command: sh('exit 75') })).rejects.toMatchObject({
      details: { retryable: true },
    })
  })

  test('a program that is not there, and parameters that are wrong', async () => {
    await expect(stack.call('process.run', { command: ['no-such-program'] })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
    await expect(stack.call('process.run', { command: 'ls' })).rejects.toMatchObject({
      ref: 'SW_VALIDATION_FAILED',
      details: { violations: [{ pointer: '/command', message: 'must be array' }] },
    })
    await expect(stack.call('process.run', { command: ['a\0b'] })).rejects.toMatchObject({ ref: 'SW_INVALID_TEXT' })
    await expect(stack.call('process.run', { command: ['ls'], env: { STATEWARD_TOKEN: 'x' } })).rejects.toMatchObject({
      ref: 'SW_VALIDATION_FAILED',
    })
    await expect(stack.call('no.tool', {})).rejects.toMatchObject({ ref: 'SW_TOOL_UNKNOWN' })
  })

  test('too much output ends the program', async () => {
    await expect(stack.call('process.run', { command: ['yes'] })).rejects.toMatchObject({ ref: 'SW_OUTPUT_TOO_LARGE' })
  })

  test('its deadline and a cancellation end the whole group', async () => {
    const command = sh('sleep 60 & echo $! >child; wait')
    await expect(stack.call('process.run', { command }, { timeoutMs: 300 })).rejects.toMatchObject({
      ref: 'SW_STEP_TIMEOUT',
    })
    expect(await alive(Number(await readFile(join(stack.workspace, 'child'), 'utf8')))).toBe(false)
    const controller = new AbortController()
    const call = stack.call('process.run', { command: ['sleep', '60'] }, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ ref: 'SW_CANCELLED' })
    await expect(stack.call('process.run', { command: ['true'] }, { timeoutMs: -1 })).rejects.toMatchObject({
      ref: 'SW_STEP_TIMEOUT',
    })
  })

  test('nothing that a program leaves in its group outlives the call', async () => {
    await stack.call('process.run', { command: sh('sleep 60 & echo $! >child') })
    expect(await alive(Number(await readFile(join(stack.workspace, 'child'), 'utf8')))).toBe(false)
  })

  test('logs line by line, without characters that cannot be stored', async () => {
    await stack.call('process.run', { command: sh('printf "one\\r\\ntwo \\0 zero\\nlast" >&2') })
    expect(stack.lines).toEqual(['one', 'two \uFFFD zero', 'last'])
  })
})

describe('a Tool with the executor command', () => {
  test('gets its parameters as one line of JSON, shell parameters ready to be run', async () => {
    stack.declare('ssh.run', {
      executor: { command: { command: ['cat'] } },
      inputSchema: {
        type: 'object',
        required: ['host', 'cmd'],
        properties: { host: { type: 'string' }, cmd: { type: 'string', 'x-shell': true } },
      },
      idempotent: true,
      aliases: ['ssh_run'],
      timeout: '5s',
      rehearsal: true,
    })
    const cmd = { literal: 'systemctl restart "$1"', args: ['nginx; touch pwned'] }
    expect(await stack.call('ssh_run', { host: 'web-1', cmd })).toEqual({
      host: 'web-1',
      cmd: {
        ...cmd,
        argv: ['sh', '-c', 'systemctl restart "$1"', 'sh', 'nginx; touch pwned'],
        line: `sh -c 'systemctl restart "$1"' sh 'nginx; touch pwned'`,
      },
      rehearsal: true,
    })
    expect(stack.tools.find('ssh_run', 'default')).toMatchObject({ name: 'ssh.run', idempotent: true, timeoutMs: 5000 })
    // Another namespace has the built-in one.
    expect(stack.tools.find('ssh.run', 'elsewhere')).toMatchObject({ idempotent: false })
    await expect(
      stack.call('ssh.run', { host: 'web-1', cmd: 'systemctl restart nginx; touch pwned' }),
    ).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    await expect(stack.call('ssh.run', { host: 1, cmd })).rejects.toMatchObject({
      details: { violations: [{ pointer: '/host' }] },
    })
  })

  test('text that is no JSON is the text of its result', async () => {
    stack.declare('say', { executor: { command: { command: sh('echo 42') } } })
    expect(await stack.call('say', {})).toEqual({ text: '42\n' })
  })

  test('a result that does not fit the outputSchema fails, also when it is no JSON', async () => {
    const outputSchema = { type: 'object', required: ['ok'] }
    stack.declare('wrong', { executor: { command: { command: sh('echo {}') } }, outputSchema })
    stack.declare('text', { executor: { command: { command: sh('echo hi') } }, outputSchema })
    stack.declare('list', { executor: { command: { command: sh('echo "[1]"') } }, rehearsal: true })
    await expect(stack.call('wrong', {})).rejects.toMatchObject({
      ref: 'SW_INVALID_OUTPUT',
      details: { violations: [{ pointer: '/ok' }] },
    })
    await expect(stack.call('text', {})).rejects.toMatchObject({ ref: 'SW_INVALID_OUTPUT' })
    expect(await stack.call('list', {})).toEqual({ value: [1], rehearsal: true })
  })

  test('secrets reach the program and nothing else', async () => {
    const env = [{ name: 'KEY', secretRef: { name: 'keys', key: 'api' } }]
    stack.declare('leaky', {
      executor: { command: { command: sh('echo "key $KEY" >&2; echo "{\\"k\\": \\"$KEY\\"}"'), env } },
    })
    stack.declare('fails', { executor: { command: { command: sh('echo "bad $KEY" >&2; exit 1'), env } } })
    stack.declare('none', {
      executor: { command: { command: ['true'], env: [{ name: 'K', secretRef: { name: 'no', key: 'such' } }] } },
    })
    stack.declare('count', { executor: { command: { command: sh('printf %s "$KEY" | wc -c'), env } } })
    expect(await stack.call('leaky', {})).toEqual({ k: '[redacted]' })
    expect(stack.lines).toEqual(['key [redacted]'])
    await expect(stack.call('fails', {})).rejects.toMatchObject({ message: expect.stringMatching(/bad \[redacted\]$/) })
    await expect(stack.call('none', {})).rejects.toMatchObject({ ref: 'SW_SECRET_MISSING' })
    expect(await stack.call('count', {})).toEqual({ text: expect.stringContaining('14') })
  })

  test('a program may ignore its input', async () => {
    stack.declare('deaf', { executor: { command: { command: ['true'] } } })
    expect(await stack.call('deaf', { big: 'x'.repeat(2_000_000) })).toEqual({ text: '' })
  })

  test('a declared tool takes the place of a built-in one in its namespace', async () => {
    await writeFile(join(stack.workspace, 'f'), 'x')
    stack.declare('fs.read', { executor: { command: { command: sh('echo mine') } } })
    expect(await stack.call('fs.read', { path: 'f' })).toEqual({ text: 'mine\n' })
    expect(await stack.call('fs_read', { path: 'f' })).toMatchObject({ content: 'x' })
  })

  test('a schema that marks a shell parameter where it has no effect is refused', async () => {
    stack.declare('odd', {
      executor: { command: { command: ['true'] } },
      inputSchema: { anyOf: [{ properties: { cmd: { 'x-shell': true } } }] },
    })
    stack.declare('broken', { executor: { command: { command: ['true'] } }, inputSchema: { type: 'nonsense' } })
    await expect(stack.call('odd', { cmd: 'x' })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    await expect(stack.call('broken', {})).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })
})
