import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { ownIdentity, readAgeFile } from '../../src/secrets/age-file-store.ts'
import { dataFolderStore, environmentStore } from '../../src/secrets/data-folder-store.ts'
import { declaredStores } from '../../src/secrets/declared-stores.ts'
import { createSecrets } from '../../src/secrets/secrets.ts'
import { KnownSecrets } from '../../src/telemetry/known-secrets.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

/** Programs that speak the command line of the real ones: what they are asked for is a line of a file. */
function standIns(programs: Readonly<Record<string, string>>): { folder: string; asked: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-programs-'))
  for (const [name, script] of Object.entries(programs)) {
    const told = `for word; do printf '%s|' "$word"; done >> "${folder}/asked"; echo >> "${folder}/asked"`
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s|' ${name} >> "${folder}/asked"\n${told}\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  const file = join(folder, 'asked')
  return { folder, asked: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) }
}

describe('container.exec', () => {
  // As podman does: exit 125 for what is no container, else what the program says.
  const engine = standIns({
    podman: `case "$*" in
  *nowhere*) echo 'Error: no container with name or ID "nowhere" found' >&2; exit 125;;
  *--interactive*) cat; exit 0;;
  *false*) exit 3;;
  *) echo done; echo warned >&2;;
esac`,
  })
  let stack: ToolStack
  beforeAll(async () => {
    stack = await startToolStack({}, undefined, {
      environment: { PATH: `${engine.folder}:/usr/bin:/bin`, DOCKER_HOST: 'unix:///run/x.sock' },
    })
  })
  afterAll(async () => {
    await stack.close()
    rmSync(engine.folder, { recursive: true })
  })
  const exec = (input: JsonObject) => stack.call('container.exec', { container: 'web', command: ['ls'], ...input })

  it('hands the words on as they are, and says what the program said', async () => {
    expect(await exec({ command: ['echo', 'a b', '$(x)'], user: 'www', workdir: '/srv', env: { A: '1' } })).toEqual({
      exitCode: 0,
      stdout: 'done\n',
      stderr: 'warned\n',
    })
    expect(engine.asked().at(-1)).toBe('podman|exec|--user|www|--workdir|/srv|--env|A=1|web|echo|a b|$(x)|')
    expect(await exec({ stdin: 'to be read' })).toMatchObject({ stdout: 'to be read' })
  })

  it('fails with what the engine says, unless the exit code is expected', async () => {
    await expect(exec({ container: 'nowhere' })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: expect.stringContaining('no container with name'),
      details: { exit_code: 125 },
    })
    await expect(exec({ command: ['false'] })).rejects.toMatchObject({ details: { exit_code: 3 } })
    expect(await exec({ command: ['false'], okExitCodes: [0, 3] })).toMatchObject({ exitCode: 3 })
    for (const wrong of [{ container: '--privileged' }, { command: [] }, { user: '-u' }, { workdir: 'srv' }])
      await expect(exec(wrong as JsonObject)).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })

  it('says so where there is no engine', async () => {
    const bare = await startToolStack({}, undefined, { environment: { PATH: mkdtempSync(join(tmpdir(), 'empty-')) } })
    await expect(bare.call('container.exec', { container: 'web', command: ['ls'] })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: expect.stringContaining('neither podman nor docker'),
    })
    await bare.close()
  })
})

describe('packages of the operating system', () => {
  const state = join(mkdtempSync(join(tmpdir(), 'stateward-dpkg-')), 'installed')
  const apt = standIns({
    'apt-cache': `[ "$1" = pkgnames ] && { printf 'nginx-doc\\nnginx\\nbroken\\n'; exit; }
printf 'nginx - small web server\\nnginx-doc - its documentation - all of it\\n'`,
    'apt-get': `case "$*" in *broken*) echo 'E: Unable to locate package broken' >&2; exit 100;; esac
echo "DEBIAN_FRONTEND=$DEBIAN_FRONTEND" >> "${state}.env"; echo 'installed 1.24.0' > "${state}"`,
    'dpkg-query': `[ -e "${state}" ] || exit 1; cat "${state}"`,
  })
  let stack: ToolStack
  beforeAll(async () => {
    stack = await startToolStack({}, undefined, { environment: { PATH: `${apt.folder}:/usr/bin:/bin` } })
  })
  afterAll(async () => {
    await stack.close()
    rmSync(apt.folder, { recursive: true })
  })

  it('are searched for and installed, once or again', async () => {
    expect(await stack.call('pkg.search', { query: 'nginx' })).toEqual({
      packages: [
        { name: 'nginx', description: 'small web server' },
        { name: 'nginx-doc', description: 'its documentation - all of it' },
      ],
      truncated: false,
    })
    expect(await stack.call('pkg.install', { name: 'nginx', version: '1.24.0' })).toEqual({
      ...{ name: 'nginx', version: '1.24.0', before: null },
    })
    expect(apt.asked().find((line) => line.startsWith('apt-get'))).toMatch(
      /^apt-get\|install\|--yes\|.*\|--\|nginx=1\.24\.0\|$/,
    )
    expect(readFileSync(`${state}.env`, 'utf8')).toBe('DEBIAN_FRONTEND=noninteractive\n')
    expect(await stack.call('pkg.install', { name: 'nginx' })).toMatchObject({ before: '1.24.0' })
    await expect(stack.call('pkg.install', { name: 'broken' })).rejects.toMatchObject({
      message: expect.stringContaining('Unable to locate package'),
    })
    await expect(stack.call('pkg.install', { name: 'missing' })).rejects.toMatchObject({
      message: expect.stringContaining('there is no package missing'),
    })
    for (const name of ['-o', 'a;b', '../x', 'A'])
      await expect(stack.call('pkg.install', { name })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })
})

describe('secret.put', () => {
  const root = mkdtempSync(join(tmpdir(), 'stateward-put-'))
  const told: string[] = []
  const builtin = [
    environmentStore((name) => (name === 'given' ? 'from-environment' : undefined)),
    dataFolderStore(join(root, 'secrets')),
  ]
  const stores = declaredStores({
    builtin,
    root,
    ageFile: join(root, 'secrets.age'),
    cluster: null as never,
    secretFile: async () => null,
  })
  const vault = { name: 'vault', spec: { encryptedFile: {} } as never }
  const known = new KnownSecrets()
  const secrets = createSecrets({
    ...{ builtin, known, declared: () => stores([vault]) },
    gate: async ({ name }) => {
      if (name === 'forbidden') throw new Error('not by this tool')
    },
    told: async () => {},
    written: async ({ name, key }, { consumer }, provider) => void told.push(`${consumer} ${name}/${key} ${provider}`),
  })
  let stack: ToolStack
  beforeAll(async () => {
    stack = await startToolStack({ 'api/token': 'copied-value' }, undefined, { secretNames: secrets })
  })
  afterAll(async () => {
    await stack.close()
    rmSync(root, { recursive: true })
  })
  const put = (input: JsonObject) => stack.call('secret.put', { name: 'db', key: 'password', ...input })
  const value = async (name: string) => secrets.peek({ name, key: 'password' })

  it('makes a random one, readable by nobody else, and shows it to nobody', async () => {
    expect(await put({ generate: 32 })).toEqual({ secret: 'db/password', provider: 'data folder', written: true })
    const made = (await value('db'))!
    expect(made).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(statSync(join(root, 'secrets/db/password')).mode & 0o777).toBe(0o600)
    expect(await put({ generate: 32, ifAbsent: true })).toMatchObject({ written: false })
    expect(await value('db')).toBe(made)
    expect([stack.lines.join(), known.redact(made)]).toEqual(['', '[redacted]'])
    expect(told).toEqual(['tool:default/secret.put db/password data folder'])
  })

  it('takes the text of a file, and keeps it where it is kept', async () => {
    writeFileSync(join(stack.workspace, 'key.pem'), 'two\nlines\n')
    expect(await put({ name: 'tls', file: 'key.pem' })).toMatchObject({ written: true })
    expect(await value('tls')).toBe('two\nlines')
    expect(await put({ name: 'app', store: 'SecretStore/vault', generate: 16 })).toMatchObject({
      provider: 'SecretStore/vault',
    })
    expect(await put({ name: 'app', file: 'key.pem' })).toMatchObject({ provider: 'SecretStore/vault' })
    const identity = (await ownIdentity(root, false))!
    expect(Object.fromEntries(await readAgeFile(join(root, 'secrets.age'), identity))).toEqual({
      'app/password': 'two\nlines',
    })
    await Promise.all(['a', 'b', 'c'].map((name) => put({ name, store: 'SecretStore/vault', file: 'key.pem' })))
    expect((await readAgeFile(join(root, 'secrets.age'), identity)).size).toBe(4)
  })

  it('is refused where a place is only read, or is asked before', async () => {
    const readOnly = { ref: 'SW_SECRET_READ_ONLY' }
    await expect(put({ name: 'given', generate: 16 })).rejects.toMatchObject(readOnly)
    await expect(put({ name: 'given', generate: 16, store: 'data folder' })).rejects.toMatchObject(readOnly)
    await expect(put({ store: 'SecretStore/vault', generate: 16 })).rejects.toMatchObject(readOnly)
    await expect(put({ store: 'SecretStore/none', generate: 16 })).rejects.toMatchObject({ ref: 'SW_NOT_FOUND' })
    await expect(put({ name: 'forbidden', generate: 16 })).rejects.toThrow('not by this tool')
  })

  it('takes no value as a parameter, and leaves no folder', async () => {
    const refused = { ref: 'SW_VALIDATION_FAILED' }
    await expect(put({ value: 'plain' })).rejects.toMatchObject(refused)
    await expect(put({})).rejects.toMatchObject(refused)
    await expect(put({ generate: 16, file: 'key.pem' })).rejects.toMatchObject(refused)
    await expect(put({ name: 'a/../../b', generate: 16 })).rejects.toMatchObject(refused)
    await expect(put({ file: '../../etc/hostname' })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
  })
})
