import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../../../bin/stateward', import.meta.url))

let folder: string
let root: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-launcher-'))
  root = join(folder, 'a project')
  await mkdir(join(root, 'bin'), { recursive: true })
  await mkdir(join(root, 'dist'))
  await copyFile(LAUNCHER, join(root, 'bin/stateward'))
  await chmod(join(root, 'bin/stateward'), 0o755)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A Node that only says which one it is, and what it was called with. */
async function fakeNode(path: string, version: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "${version}" "$@" "cache=$NODE_COMPILE_CACHE" "called=$STATEWARD_COMMAND" "path=$PATH"; fi\n`
  await writeFile(path, script, { mode: 0o755 })
}

function launch(path: string, args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const env = { PATH: `${join(folder, 'system')}:/usr/bin:/bin`, HOME: folder }
  return new Promise((resolve) => {
    execFile(path, [...args], { env }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}

describe('bin/stateward', () => {
  it('takes the Node of the project before that of the system, and puts it first on PATH', async () => {
    await fakeNode(join(folder, 'system/node'), 'v20.1.0')
    await fakeNode(join(root, 'node_modules/node/bin/node'), 'v24.0.0')
    await mkdir(join(root, 'node_modules/.bin'))
    await symlink('../node/bin/node', join(root, 'node_modules/.bin/node'))
    const { stdout } = await launch(join(root, 'bin/stateward'), ['get', 'two words'])
    expect(stdout).toMatch(
      /^v24\.0\.0 (--\S+ )*--disable-warning=ExperimentalWarning .*\/dist\/main\.js get two words /,
    )
    expect(stdout).toContain(`path=${join(root, 'node_modules/node/bin')}:`)
    expect(stdout).toContain(`cache=${join(folder, '.cache/stateward/compiled')}`)
    expect(stdout).toContain(`called=${join(root, 'bin/stateward')}`)
  })

  it('takes the Node of the system when it is new enough, and runs sources where they are', async () => {
    await fakeNode(join(folder, 'system/node'), 'v22.22.1')
    await mkdir(join(root, 'controller/src'), { recursive: true })
    await writeFile(join(root, 'controller/src/main.ts'), '')
    expect((await launch(join(root, 'bin/stateward'), ['x'])).stdout).toMatch(
      /^v22\.22\.1 .*\/controller\/src\/main\.ts x /,
    )
  })

  it('finds its project through symbolic links', async () => {
    await fakeNode(join(folder, 'system/node'), 'v30.0.0')
    await symlink('a project/bin/stateward', join(folder, 'first'))
    await symlink('first', join(folder, 'second'))
    expect((await launch(join(folder, 'second'), [])).stdout).toContain(join(root, 'dist/main.js'))
  })

  it.each(['v20.19.0', 'v22.21.9', 'nonsense'])('refuses %s with the remedy', async (version) => {
    await fakeNode(join(folder, 'system/node'), version)
    const { stderr, code } = await launch(join(root, 'bin/stateward'), ['get'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(
        `^error: Stateward needs Node 22\\.22 or newer, found ${version}\\n  remedy: .* \\[SW_NODE_TOO_OLD\\]\\n$`,
      ),
    )
  })
})
