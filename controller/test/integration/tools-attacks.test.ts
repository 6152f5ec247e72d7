import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findSandbox, type Sandbox } from '../../src/tools/sandbox/sandbox.ts'
import { requires } from '../support/requires.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

const bubblewrap = requires('bubblewrap')

let outside: ToolStack
let stack: ToolStack
beforeAll(async () => {
  outside = await startToolStack()
  stack = await startToolStack()
})
afterAll(async () => {
  await stack.close()
  await outside.close()
})
const pwned = () => existsSync(join(outside.workspace, 'pwned'))
const escapes = { ref: 'SW_PATH_ESCAPES' }
const invalid = { ref: 'SW_VALIDATION_FAILED' }
const git = (dir: string, ...args: string[]) => execFileSync('git', ['-C', join(stack.workspace, dir), ...args])

describe('whoever may only write files and commit', () => {
  it('gets no further by a link into the folder of git', async () => {
    await stack.call('git.repo.init', { dir: 'linked' })
    await expect(stack.call('fs.symlink', { path: 'linked/way', target: '.git' })).rejects.toMatchObject(escapes)
    // Left by a program.
    await symlink('.git', join(stack.workspace, 'linked/way'))
    for (const [tool, parameters] of [
      ['fs.write', { path: 'linked/way/config', content: '[core]\n' }],
      ['fs.delete', { path: 'linked/way/HEAD' }],
      ['fs.move', { from: 'linked/way/HEAD', to: 'mine' }],
      ['fs.mkdir', { path: 'linked/way/hooks' }],
    ] as const)
      await expect(stack.call(tool, parameters), tool).rejects.toMatchObject(escapes)
  })

  it('makes no repository of plain files that would say what git runs', async () => {
    for (const [path, content] of [
      ['bare/HEAD', 'ref: refs/heads/main\n'],
      ['bare/objects/x', ''],
      ['bare/refs/x', ''],
      ['bare/config', `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ${outside.workspace}\n`],
    ] as const)
      await stack.call('fs.write', { path, content })
    await expect(stack.call('git.commit', { dir: 'bare', message: 'x' })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
    })
    await expect(stack.call('git.log', { dir: 'bare' })).resolves.toEqual({ commits: [] })
  })

  it('cannot have a signature looked at by a program of the repository', async () => {
    await stack.call('git.repo.init', { dir: 'signed' })
    await stack.call('fs.write', { path: 'signed/a', content: 'a' })
    await stack.call('git.commit', { dir: 'signed', message: 'a' })
    const raw = git('signed', 'cat-file', 'commit', 'HEAD').toString()
    const forged = raw.replace(
      '\n\n',
      '\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n',
    )
    const id = execFileSync(
      'git',
      ['-C', join(stack.workspace, 'signed'), 'hash-object', '-t', 'commit', '-w', '--stdin'],
      {
        input: forged,
      },
    )
    git('signed', 'update-ref', 'HEAD', id.toString().trim())
    await writeFile(join(stack.workspace, 'gpg'), `#!/bin/sh\ntouch ${outside.workspace}/pwned\n`, { mode: 0o755 })
    git('signed', 'config', 'gpg.program', join(stack.workspace, 'gpg'))
    git('signed', 'config', 'log.showSignature', 'true')
    expect(await stack.call('git.log', { dir: 'signed' })).toMatchObject({ commits: [{ subject: 'a' }] })
    expect(pwned()).toBe(false)
  })
})

describe('a request', () => {
  const bodies: Record<string, string> = {
    '/deep': `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    '/keys': `{${Array.from({ length: 40_000 }, (_, i) => `"k${i}":1`).join()}}`,
  }
  const web = createServer((request, response) => {
    if (request.url === '/zip') response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(300_000_000)))
    else response.setHeader('content-type', 'application/json').end(bodies[request.url ?? ''] ?? '{}')
  })
  let url: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
  })
  afterAll(() => web.close())

  it('is answered with a bomb: it ends as a failure or with what fits', async () => {
    await expect(stack.call('http.call', { url: `${url}/zip` })).rejects.toMatchObject({ ref: 'SW_OUTPUT_TOO_LARGE' })
    const deep = await stack.call('http.call', { url: `${url}/deep` }).catch((error: unknown) => error)
    expect(deep).toMatchObject({ ref: expect.stringMatching(/^SW_(TOOL_FAILED|OUTPUT_TOO_LARGE|INVALID_OUTPUT)$/) })
    expect(await stack.call('http.call', { url: `${url}/keys` })).toMatchObject({ status: 200 })
    // Whoever asks next is served.
    expect(await stack.call('http.call', { url })).toMatchObject({ json: {} })
  })

  it('says itself where it goes and how long it is', async () => {
    for (const name of ['Host', 'transfer-encoding', 'Content-Length', 'connection', 'Upgrade', 'expect', 'te'])
      await expect(
        stack.call('http.call', { url, method: 'POST', body: 'x', headers: { [name]: 'x' } }),
        name,
      ).rejects.toMatchObject(invalid)
    await expect(stack.call('http.call', { url, headers: { a: 'b\r\nx: y' } })).rejects.toBeDefined()
  })

  it('leads nowhere by a name before the host, nor by other words for an address', async () => {
    const byAgent = { actor: 'agent:default/one' }
    for (const host of [
      'example.com@127.0.0.1',
      'example.com%2F@127.0.0.1',
      '0177.0.0.1',
      '0x7f.1',
      '127.0.0.1.',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
    ])
      await expect(stack.call('http.call', { url: `http://${host}/` }, byAgent), host).rejects.toMatchObject({
        ref: 'SW_OUTBOUND_DENIED',
      })
  })
})

describe('words for programs', () => {
  it('are no options, no removal and no pattern for the packages of the system', async () => {
    for (const name of ['sudo-', '-y', '--', 'a'.repeat(200)])
      await expect(stack.call('pkg.install', { name }), name).rejects.toMatchObject(invalid)
    const programs = join(stack.workspace, 'programs')
    await mkdir(programs)
    const asked = join(stack.workspace, 'asked')
    const write = (name: string, script: string) =>
      writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    await write('apt-cache', "printf 'a\\nlibc.\\n'")
    await write('apt-get', `echo "$*" >> ${asked}`)
    await write('dpkg-query', 'exit 1')
    const apt = await startToolStack({}, undefined, { environment: { PATH: `${programs}:/usr/bin:/bin` } })
    // To apt, this is every package with an `a` in its name.
    await expect(apt.call('pkg.install', { name: 'a.+' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    expect(existsSync(asked)).toBe(false)
    await apt.close()
  })

  it('reach a container only where something is let out', async () => {
    const closed = await startToolStack({}, undefined, { network: { allowOutbound: false, allow: null } })
    await expect(closed.call('container.exec', { container: 'x', command: ['true'] })).rejects.toMatchObject({
      ref: 'SW_OUTBOUND_DENIED',
    })
    await closed.close()
    for (const container of ['-v', '--privileged', '../x'])
      await expect(stack.call('container.exec', { container, command: ['true'] })).rejects.toMatchObject(invalid)
  })

  it('are no variables that load code before the sandbox is there', async () => {
    for (const name of [
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'LD_AUDIT',
      'GCONV_PATH',
      'GLIBC_TUNABLES',
      'BASH_FUNC_x%%',
      'a=b',
      '',
    ])
      for (const tool of ['process.run', 'process.start'])
        await expect(stack.call(tool, { command: ['true'], env: { [name]: 'x' } }), name).rejects.toMatchObject(invalid)
  })
})

describe.skipIf(!bubblewrap.available)(`a program in a sandbox ${bubblewrap.reason}`, () => {
  let sandbox: Sandbox
  let home: string
  beforeAll(async () => {
    home = join(outside.workspace, 'home')
    await mkdir(join(home, '.aws'), { recursive: true })
    for (const file of ['.aws/credentials', '.pgpass', '.vault-token', '.bash_history'])
      await writeFile(join(home, file), 'of somebody')
    await writeFile(join(outside.workspace, '.env'), 'OPENAI_API_KEY=secret')
    sandbox = await findSandbox({
      path: process.env['PATH'] ?? '',
      home,
      hidden: [join(outside.workspace, 'data'), join(outside.workspace, '.env')],
    })
    await mkdir(join(outside.workspace, 'data'))
    await writeFile(join(outside.workspace, 'data/key'), 'of the controller')
  })
  const inside = async (script: string): Promise<string> => {
    const stack = await startToolStack({}, undefined, { sandbox })
    try {
      const { stdout } = (await stack.call('process.run', { command: ['sh', '-c', script] })) as { stdout: string }
      return stdout
    } finally {
      await stack.close()
    }
  }

  it('sees no credential of the machine, of its user or of Stateward', async () => {
    const files = [
      ...['.aws/credentials', '.pgpass', '.vault-token', '.bash_history'].map((file) => join(home, file)),
      join(outside.workspace, '.env'),
      join(outside.workspace, 'data/key'),
      '/etc/shadow',
      '/proc/1/environ',
    ]
    expect(
      await inside(`cat ${files.join(' ')} 2>/dev/null | grep -aE 'somebody|secret|controller|root:' | wc -l`),
    ).toBe('0\n')
    expect(await inside('ls -A /run /tmp 2>/dev/null | grep -cE "docker|containerd|systemd/private" || true')).toBe(
      '0\n',
    )
  })

  it('makes no hard link to a file outside, and no link that file tools would follow', async () => {
    const own = await startToolStack({}, undefined, { sandbox })
    const { stderr } = (await own.call('process.run', {
      command: [
        'sh',
        '-c',
        'ln /etc/hostname mine; ln -s /proc/self/root/etc/hostname a; ln -s /proc/self/cwd/../.. b; true',
      ],
    })) as { stderr: string }
    expect(stderr).toContain('mine')
    await expect(own.call('fs.read', { path: 'mine' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    for (const path of ['a', 'b/etc/hostname', '/proc/self/cwd/x', 'c/../../x', '..', './../x'])
      await expect(own.call('fs.read', { path }), path).rejects.toMatchObject(escapes)
    await own.close()
  })

  it('has so many processes and files, and no more', async () => {
    expect(await inside('ulimit -p 2>/dev/null || ulimit -u')).toBe('1024\n')
    expect(await inside('ulimit -n; ulimit -c')).toMatch(/^\d+\n0\n$/)
    const own = await startToolStack({}, undefined, { sandbox })
    own.declare('few', {
      executor: { command: { command: ['sh', '-c', 'ulimit -p 2>/dev/null || ulimit -u'] } },
      sandbox: { limits: { processes: 20 } },
    })
    expect(await own.call('few', {})).toEqual({ text: '20\n' })
    await own.close()
  })

  it('reaches nothing outside by what it leaves for git to run', async () => {
    const own = await startToolStack({}, undefined, { sandbox })
    const at = join(own.workspace, 'repo')
    await own.call('git.repo.init', { dir: 'repo' })
    await own.call('fs.write', { path: 'repo/a', content: 'a' })
    await own.call('git.commit', { dir: 'repo', message: 'a' })
    const filter = `sh -c 'touch ${outside.workspace}/pwned; touch ran; cat'`
    await own.call('process.run', {
      command: [
        'sh',
        '-c',
        'cd repo && git config filter.x.clean "$1" && git config filter.x.smudge "$1" && echo "* filter=x" > .gitattributes',
        'sh',
        filter,
      ],
    })
    await own.call('fs.write', { path: 'repo/a', content: 'b' })
    await own.call('git.commit', { dir: 'repo', message: 'b' })
    await own.call('git.checkout', { dir: 'repo', ref: 'other', create: true })
    expect(pwned()).toBe(false)
    // Its files stay its own, whatever the repository says where they are.
    await own.call('process.run', { command: ['git', '-C', 'repo', 'config', 'core.worktree', outside.workspace] })
    await own.call('git.checkout', { dir: 'repo', ref: 'main' }).catch(() => undefined)
    await own.call('git.commit', { dir: 'repo', message: 'c' }).catch(() => undefined)
    expect(existsSync(join(outside.workspace, 'a'))).toBe(false)
    const log = (await own.call('git.log', { dir: 'repo' }).catch(() => ({ commits: [] }))) as { commits: unknown[] }
    expect(JSON.stringify(log)).not.toContain('OPENAI')
    expect(await readFile(join(at, 'a'), 'utf8')).toBe('b')
    await own.close()
  })
})
