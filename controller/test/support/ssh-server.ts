import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

export interface SshServer {
  readonly port: number
  readonly user: string
  /** As a private key file. */
  readonly key: string
  /** As `ssh-keyscan` prints it. */
  readonly knownHosts: string
  /** `SHA256:…` */
  readonly fingerprint: string
  /** Commands as they came, where the server has a program for all of them. */
  commands(): string[]
  stop(): Promise<void>
}

/** A real sshd on loopback that lets the user of the test in by key. `answers`: what every command is answered with instead of being run. */
export async function startSshServer(answers: string | null = null): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-sshd-'))
  const make = (name: string) =>
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)])
  for (const name of ['host', 'client']) make(name)
  const port = await freePort()
  const commands = join(folder, 'commands')
  writeFileSync(commands, '')
  const forced = join(folder, 'forced.sh')
  writeFileSync(
    forced,
    `#!/bin/sh\nprintf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>${commands}\nprintf '%s' '${answers ?? ''}'\n`,
    { mode: 0o755 },
  )
  writeFileSync(
    join(folder, 'sshd_config'),
    [
      ...[`ListenAddress 127.0.0.1:${port}`, `HostKey ${folder}/host`, `AuthorizedKeysFile ${folder}/client.pub`],
      ...[`PidFile ${folder}/pid`, 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin yes'],
      ...(answers === null ? [] : [`ForceCommand ${forced}`]),
    ].join('\n'),
  )
  // Where it gives up its rights; Debian makes it when the service starts.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' })
  await listening(port)
  const host = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  return {
    port,
    user: userInfo().username,
    key: readFileSync(join(folder, 'client'), 'utf8'),
    knownHosts: `[127.0.0.1]:${port} ${host}\n`,
    fingerprint: execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'host.pub')])
      .toString()
      .split(' ')[1]!,
    commands: () =>
      readFileSync(commands, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('sshd does not listen')
}
