import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly workingDir?: string
  readonly securityContext?: object
  readonly env?: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
  }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

/** Runs the programs of pods as processes of this machine: what a pod has mounted somewhere is a folder elsewhere. */
export class PodPrograms {
  readonly folder = mkdtempSync(join(tmpdir(), 'stateward-pods-'))
  readonly #running = new Map<string, ChildProcess>()

  /** Starts a container; `files` are what is mounted into it, by path. */
  start(
    podUid: string,
    { name, command = [], workingDir, volumeMounts = [] }: ContainerSpec,
    given: { readonly environment: Readonly<Record<string, string>>; readonly files: Readonly<Record<string, string>> },
    on: { readonly line: (line: string) => void; readonly end: (exitCode: number) => void },
  ): void {
    const folders = new Map(volumeMounts.map((mount) => [mount.mountPath, join(this.folder, podUid, mount.name)]))
    for (const folder of folders.values()) mkdirSync(folder, { recursive: true })
    const places = [...folders.keys()].sort((a, b) => b.length - a.length)
    const local = (text: string) =>
      text.replaceAll(new RegExp(places.join('|'), 'g'), (place) => folders.get(place) ?? place)
    for (const [path, content] of Object.entries(given.files)) {
      mkdirSync(dirname(local(path)), { recursive: true })
      writeFileSync(local(path), content)
    }
    const environment = Object.entries(given.environment).map(([key, value]) => [key, local(plain(value))])
    const child = spawn(
      local(plain(command[0]!)),
      command.slice(1).map((word) => local(plain(word))),
      {
        cwd: workingDir === undefined ? this.folder : local(workingDir),
        env: { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(environment) },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    )
    this.#running.set(`${podUid}/${name}`, child)
    let rest = ''
    const printed = (part: Buffer): void => {
      const lines = (rest + part.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) on.line(line)
    }
    child.stdout.on('data', printed)
    child.stderr.on('data', printed)
    child.once('error', (error) => on.line(String(error)))
    child.once('close', (code, signal) => {
      this.#running.delete(`${podUid}/${name}`)
      if (rest !== '') on.line(rest)
      on.end(code ?? (signal === 'SIGTERM' ? 143 : 137))
    })
  }

  signal(podUid: string, name: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#running.get(`${podUid}/${name}`)?.pid
    if (pid !== undefined) process.kill(-pid, signal)
  }

  end(): void {
    for (const { pid } of this.#running.values()) if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** As the kubelet reads a word: two dollar signs before a parenthesis are one. */
function plain(text: string): string {
  return text.replaceAll('$$(', () => '$(')
}
