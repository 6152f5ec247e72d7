import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileBlueprint } from '../../src/blueprints/compile.ts'
import { isV0Blueprint, normaliseV0 } from '../../src/blueprints/normalise-v0.ts'
import { kindOf } from '../../src/kinds/registry.ts'
import type { Resource } from '../../src/kinds/resource.ts'
import { fillDefaults } from '../../src/kinds/validate.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { schemaViolations } from '../../src/lib/json-schema.ts'
import { DEFAULT_LIMITS } from '../../src/parse/limits.ts'
import { isManifestPath, parseFile } from '../../src/parse/parse-file.ts'
import { builtinToolSchema } from '../../src/tools/builtins.ts'
import { type StarterFile, starterFiles } from '../support/starter-files.ts'
import { refuse, startStubApi } from '../support/stub-api.ts'

const ROOT = fileURLToPath(new URL('../../../state-repo/', import.meta.url))
const SCHEMA_LINE = '# yaml-language-server: $schema=../.schemas/stateward.schema.json\n'

function parse(file: StarterFile) {
  const input = { path: file.path, oid: '0'.repeat(40), mode: '100644', size: file.bytes.length, bytes: file.bytes }
  const formerForm = { recognises: isV0Blueprint, normalise: normaliseV0 }
  return parseFile(input, { defaultNamespace: 'default', limits: DEFAULT_LIMITS, formerForm })
}

/** A manifest, and not one of the example that .statewardignore leaves out. */
const isRead = ({ path }: StarterFile): boolean => isManifestPath(path) && !path.startsWith('typescript/')

let files: readonly StarterFile[]
let resources: readonly Resource[]
let folder: string

beforeAll(async () => {
  files = await starterFiles()
  resources = files.filter(isRead).flatMap((file) => parse(file).resources)
  folder = await mkdtemp(join(tmpdir(), 'stateward-starter-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const named = (kind: string, name: string): Resource => {
  const found = resources.find((resource) => resource.kind === kind && resource.name === name)
  if (found === undefined) throw new Error(`the starter has no ${kind} ${name}`)
  return found
}

/** Runs a program as the supervisor would, without anything else in its environment. */
async function run(command: readonly string[], input: string, env: Record<string, string> = {}) {
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, env: { PATH: nodePath(), ...env } })
  child.stdin.end(input)
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ])
  return { stdout, stderr, code }
}

function nodePath(): string {
  return `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`
}

describe('the manifests of the starter', () => {
  it('have no problem at all', () => {
    const issues = files.filter(isRead).flatMap((file) => parse(file).issues)
    expect(issues).toEqual([])
  })

  it('hold every kind that works now, and the two that are only accepted', () => {
    const kinds = new Set(resources.map((resource) => resource.kind))
    expect([...kinds].sort()).toEqual([
      'Agent',
      'AgentTemplate',
      'Blueprint',
      'Budget',
      'Dashboard',
      'Environment',
      'EventType',
      'Host',
      'ModelProvider',
      'Operation',
      'Policy',
      'Project',
      'Tool',
    ])
  })

  it('begin with the line an editor finds the schema by, except the blueprint in the first format and the cases of the policies', () => {
    const without = files.filter(
      (file) =>
        isRead(file) && /\.ya?ml$/.test(file.path) && !Buffer.from(file.bytes).toString().startsWith(SCHEMA_LINE),
    )
    expect(without.map((file) => file.path)).toEqual(['blueprints/checkmk.yaml', 'policies/cases.yaml'])
    expect(files.map((file) => file.path)).toContain('.schemas/stateward.schema.json')
  })

  it('keep the blueprint in the first format byte for byte', () => {
    const file = files.find(({ path }) => path === 'blueprints/checkmk.yaml')!
    expect(createHash('sha256').update(file.bytes).digest('hex')).toBe(
      '70a45baf1015abd66c0269fc8c7c3b5d7df656c0b7ec1bcbfdb7fa0577f97ae4',
    )
    expect(named('Blueprint', 'bp.checkmk.auto-remediate').annotations['stateward.dev/v0-id']).toBe(
      'bp.checkmk.auto_remediate',
    )
  })

  it('name only what is there: references and files', () => {
    const paths = new Set(files.flatMap((file) => [file.path, file.path.split('/').slice(0, -1).join('/')]))
    for (const resource of resources) {
      const kind = kindOf(resource.kind)!
      for (const reference of kind.references(resource.spec)) {
        const builtin = reference.kind === 'Tool' && builtinToolSchema(reference.name) !== null
        const found = builtin || resources.some((each) => each.kind === reference.kind && each.name === reference.name)
        expect(found, `${resource.origin.file} names ${reference.kind} ${reference.name}`).toBe(true)
      }
      for (const { path } of kind.files(resource.spec)) expect(paths, resource.origin.file).toContain(path)
    }
  })

  it('hold blueprints that compile against the tools there are', () => {
    const toolSchema = (name: string): JsonObject | null => {
      const builtin = builtinToolSchema(name)
      if (builtin !== null) return builtin
      const declared = resources.find((resource) => resource.kind === 'Tool' && resource.name === name)
      return declared === undefined ? null : ((declared.spec['inputSchema'] ?? {}) as JsonObject)
    }
    for (const { namespace, name, spec, kind } of resources) {
      if (kind !== 'Blueprint') continue
      const compiled = compileBlueprint(
        { namespace, name, spec: fillDefaults(kind, spec), place: () => null },
        { toolSchema },
      )
      expect(compiled.ok ? [] : compiled.problems, name).toEqual([])
    }
  })
})

describe('the tool ssh.run', () => {
  it('says what it would run, runs nothing, and fits its own schema', async () => {
    const { spec } = named('Tool', 'ssh.run')
    const { command } = (spec['executor'] as { command: { command: string[] } }).command
    const cmd = { literal: 'systemctl restart "$1"', args: ['nginx; touch pwned'], argv: [], line: '' }
    const { stdout, code } = await run(command, `${JSON.stringify({ host: 'web-1', cmd })}\n`)
    expect(code).toBe(0)
    const output = JSON.parse(stdout)
    expect(schemaViolations(spec['outputSchema'] as JsonObject, output)).toEqual([])
    expect(output).toMatchObject({ rehearsal: true, host: 'web-1', stdout: '' })
    expect(output.summary).toBe(
      'rehearsal: would run "systemctl restart "$1"  $1="nginx; touch pwned"" on web-1; nothing was run',
    )
    const plain = await run(command, JSON.stringify({ host: 'web-1', cmd: { literal: '...', args: [] } }))
    expect(JSON.parse(plain.stdout).summary).toBe('rehearsal: would run "..." on web-1; nothing was run')
  })
})

describe('the agents that run one command a task', () => {
  const commandOf = (name: string) =>
    (named('Agent', name).spec['runtime'] as { process: { command: string[]; workdir: string } }).process
  const task = (name: string, inputs: JsonObject) => {
    const { command, workdir } = commandOf(name)
    return run(command, `${JSON.stringify({ protocol: 1, task_id: 't', attempt: 1, prompt: 'Analyze', inputs })}\n`, {
      STATEWARD_FILES: join(ROOT, workdir),
    })
  }

  it('openai answers from its table, and says that it is no model', async () => {
    const known = JSON.parse((await task('openai', { host: 'web-1', service: 'nginx' })).stdout)
    expect(known).toMatchObject({ known: true, restart_is_safe: true, answered_by: 'rules, not a model' })
    const unknown = JSON.parse((await task('openai', {})).stdout)
    expect(unknown).toMatchObject({ known: false })
  })

  it('docs-reviewer finds what is wrong with Markdown and where', async () => {
    const docs = join(folder, 'docs')
    await mkdir(join(docs, 'guide'), { recursive: true })
    await writeFile(
      join(docs, 'index.md'),
      '# Index\n\n[good](guide/a.md#first-part) [bad](guide/b.md) [up](../x.md) [web](https://x.y)\n',
    )
    await writeFile(
      join(docs, 'guide/a.md'),
      '---\ntitle: x\n---\n# A\n\n## First `part`\n\n[back](../index.md#nowhere) TODO: more\n',
    )
    await writeFile(join(docs, 'guide/c.md'), 'no title\n\n```\n[not](a-link.md) TODO\n```\n\n`[nor](this.md)`\n')
    await writeFile(join(docs, 'guide/empty.md'), '')
    const { stdout, code } = await task('docs-reviewer', { folder: docs })
    expect(code).toBe(0)
    const output = JSON.parse(stdout)
    expect(output.files).toBe(4)
    expect(output.problems).toEqual([
      { file: 'guide/a.md', line: 8, rule: 'undone', message: 'TODO was left here' },
      { file: 'guide/a.md', line: 8, rule: 'link', message: 'index.md has no heading for #nowhere' },
      { file: 'guide/c.md', line: 1, rule: 'title', message: 'no title: the first line should be "# …"' },
      { file: 'guide/empty.md', line: 1, rule: 'empty', message: 'the file is empty' },
      { file: 'index.md', line: 3, rule: 'link', message: 'the link to guide/b.md leads nowhere' },
    ])
    expect(output.report).toContain('## guide/a.md\n\n- line 8: TODO was left here (undone)')
  })

  it('docs-reviewer fails with the reason when there is no such folder', async () => {
    const relative = await task('docs-reviewer', { folder: 'docs' })
    expect([relative.code, relative.stderr]).toEqual([1, 'inputs.folder has to be an absolute path, not "docs"\n'])
    const missing = await task('docs-reviewer', { folder: join(folder, 'missing') })
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('there is no folder')
  })

  it('finds no problem in its own README', async () => {
    expect(JSON.parse((await task('docs-reviewer', { folder: ROOT })).stdout).problems).toEqual([])
  })
})

describe('the daemon sre', () => {
  const start = (url: string) => {
    const child = spawn(process.execPath, ['main.mjs'], {
      cwd: join(ROOT, 'agents/sre'),
      env: {
        STATEWARD_URL: url,
        STATEWARD_TOKEN: 'swa_x',
        STATEWARD_AGENT: 'sre',
        STATEWARD_NAMESPACE: 'default',
        STATEWARD_INSTANCE: 'i-1',
      },
    })
    const output = text(child.stdout)
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, output, exit }
  }
  const alert = { host: 'db-1', service: 'postgres', state: 'CRIT', message: 'No space left on device' }

  it('registers, does a task, reports it, and ends when it is told to', async () => {
    const reported = Promise.withResolvers<unknown>()
    let given = false
    let away = 2
    const api = await startStubApi({
      'POST /api/v1/agents/register': (_, response) => {
        // The API is away at first: a daemon does not give up.
        if (away-- > 0) return refuse(response, 503, 'database_unreachable', 'SW_DATABASE_UNREACHABLE', 'starting')
        return { agent_id: 'a-1', heartbeat_seconds: 1, spec: {} }
      },
      'POST /api/v1/agents/sre/heartbeat': () => ({ interventions: [], drain: false }),
      'POST /api/v1/agents/sre/pickup': (_, response) => {
        if (given) return void setTimeout(() => response.writeHead(204).end(), 200)
        given = true
        return { interventions: [], tasks: [{ task_id: 't-1', attempt: 3, prompt: 'How bad?', inputs: alert }] }
      },
      'PATCH /api/v1/tasks/t-1': ({ body }) => {
        reported.resolve(body)
        return { task_id: 't-1', status: 'completed' }
      },
    })
    const daemon = start(api.url)
    try {
      expect(await reported.promise).toMatchObject({
        attempt: 3,
        status: 'completed',
        output: {
          severity: 'critical',
          flapping: false,
          reasons: ['it is CRIT', 'it is a database', 'the disk is full'],
        },
      })
      daemon.child.kill('SIGTERM')
      expect(await daemon.exit).toBe(0)
      expect(await daemon.output).toContain('next try in')
      expect(api.requests.every((request) => request.headers.authorization === 'Bearer swa_x')).toBe(true)
      expect(api.requests.find((request) => request.path.endsWith('/pickup'))?.query).toEqual({ namespace: 'default' })
    } finally {
      daemon.child.kill('SIGKILL')
      await api.close()
    }
  })

  it('does not ask as fast as it is answered when nobody lets it wait', async () => {
    const api = await startStubApi({
      'POST /api/v1/agents/register': () => ({ agent_id: 'a-1', heartbeat_seconds: 30, spec: {} }),
      'POST /api/v1/agents/sre/heartbeat': () => ({ interventions: [], drain: false }),
      'POST /api/v1/agents/sre/pickup': (_, response) => void response.writeHead(204).end(),
    })
    const daemon = start(api.url)
    const pickups = () => api.requests.filter(({ path }) => path.endsWith('/pickup')).length
    try {
      while (pickups() === 0) await delay(10)
      await delay(500)
      expect(pickups()).toBe(1)
      daemon.child.kill('SIGTERM')
      expect(await daemon.exit).toBe(0)
    } finally {
      daemon.child.kill('SIGKILL')
      await api.close()
    }
  })

  it('ends by itself when its token is no longer good', async () => {
    const api = await startStubApi({
      'POST /api/v1/agents/register': (_, response) =>
        refuse(response, 401, 'unauthenticated', 'SW_UNAUTHENTICATED', 'no'),
    })
    const daemon = start(api.url)
    try {
      expect(await daemon.exit).toBe(0)
      expect(await daemon.output).toContain('the instance has ended')
    } finally {
      daemon.child.kill('SIGKILL')
      await api.close()
    }
  })

  it('sorts alerts by rules and notices one that comes and goes', async () => {
    const { createTriage } = (await import(join(ROOT, 'agents/sre/triage.mjs'))) as {
      createTriage: (now: () => number) => (alert: Record<string, string>) => { severity: string; flapping: boolean }
    }
    let now = 0
    const triage = createTriage(() => now)
    const severity = (host: string, service: string, state: string) => triage({ host, service, state }).severity
    expect(severity('web-1', 'nginx', 'OK')).toBe('low')
    expect(severity('web-1', 'nginx', 'CRIT')).toBe('high')
    expect(severity('db-test-1', 'postgres', 'CRIT')).toBe('high')
    expect(severity('web-2', 'backup', 'CRIT')).toBe('medium')
    for (const state of ['OK', 'CRIT', 'OK']) severity('web-3', 'nginx', state)
    expect(triage({ host: 'web-3', service: 'nginx', state: 'CRIT' }).flapping).toBe(true)
    now += 60 * 60_000
    expect(triage({ host: 'web-3', service: 'nginx', state: 'CRIT' }).flapping).toBe(false)
    expect(() => triage({ host: '', service: 'x', state: 'OK' })).toThrow('its host and its service')
  })
})

describe('the README of the starter', () => {
  it('names every object of the starter that does something', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    for (const { kind, name } of resources) {
      if (['Agent', 'Blueprint', 'Tool'].includes(kind)) expect(readme, `${kind} ${name}`).toContain(`\`${name}\``)
    }
  })
})
