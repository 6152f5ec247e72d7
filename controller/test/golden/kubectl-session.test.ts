import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import type { ObjectKey } from '../../src/kinds/resource.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { git } from '../support/git-remote.ts'
import { fetchDebianKubectl, findKubectl, RECENT } from '../support/kubectl.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'
import { type Transcript, transcriptOf } from './kubectl/transcript.ts'

const fetched = fetchDebianKubectl()
afterAll(() => fetched?.remove())

/** One kubectl for each of the transcripts: a recent one, and an old one, as far as there are. */
const found = [findKubectl(), fetched].filter((one) => one !== null)
/** It writes what 1.29 and all since then write. */
const recent = found.find(({ minor }) => minor >= 29)
const old = found.find(({ minor }) => minor < RECENT)

const IDLE = { runtime: { process: { command: ['true'] } }, replicas: 0, heartbeat: { interval: '1h', timeout: '24h' } }
const STATE = {
  'agents/sre.yaml': agent('sre', { ...IDLE, description: 'Looks after hosts.' }, { labels: { team: 'platform' } }),
  'agents/scribe.yaml': agent('scribe', { ...IDLE, description: 'Writes.' }, { namespace: 'docs' }),
  'tools/build.yaml': manifest('Tool', 'build', {
    description: 'Builds.',
    executor: { command: { command: ['sh', '-c', 'echo compiling >&2; echo linking >&2'] } },
  }),
  'blueprints/release.yaml': manifest('Blueprint', 'release', {
    description: 'Asks before it releases.',
    plan: [
      { id: 'version', kind: 'transform', expression: "'1.2.3'" },
      { id: 'build', kind: 'action_task', action: 'build' },
      { id: 'approve', kind: 'gate', mode: 'manual', message: 'Release {{ steps.version.output }}?' },
      { id: 'notes', kind: 'transform', expression: "'released ' + steps.version.output" },
    ],
    outputs: [{ name: 'notes', value: '{{ steps.notes.output }}' }],
  }),
}
const manifestOf = (name: string, lines: readonly string[], labels = '') =>
  [
    'apiVersion: stateward.dev/v1alpha1',
    'kind: Agent',
    'metadata:',
    `  name: ${name}`,
    ...(labels === '' ? [] : [`  labels: { ${labels} }`]),
    'spec:',
    "  runtime: { process: { command: ['true'] } }",
    '  heartbeat: { interval: 1h, timeout: 24h }',
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n')
const FILES = {
  'same.yaml': manifestOf('sre', ['description: Looks after hosts.', 'replicas: 0'], 'team: platform'),
  'more.yaml': manifestOf('sre', ['description: Looks after many hosts.', 'replicas: 2'], 'team: platform'),
  'new.yaml': manifestOf('reviewer', ['description: Reads what others wrote.', 'replicas: 0']),
  'direct.yaml': manifestOf('direct', ['replicas: 0']).replace(
    'spec:',
    '  annotations: { stateward.dev/land: direct }\nspec:',
  ),
  'wrong.yaml': manifestOf('wrong', ['descripton: A typo.', 'replicas: many']),
}

/** A server with the state above, a kubeconfig for it as its admin, and a folder of files to apply. */
async function openSession(path: string) {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-session-'))
  const here = await createInstallation(STATE)
  await here.start({ tlsPort: null, authMode: 'none' })
  for (const key of ['Agent/default/sre', 'Agent/docs/scribe', 'Blueprint/default/release'])
    await here.untilCondition(key as ObjectKey, 'Ready', 'True')
  await here.stateward.settled()
  const kubeconfig = join(folder, 'kubeconfig')
  const env = { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url, HOME: folder }
  const terminal = fakeTerminal({ now: new Date().toISOString(), env })
  expect(await runProgram(['kubeconfig', '--file', kubeconfig], terminal)).toBe(0)
  // The admin credential speaks for whoever holds it: here for ada, whatever the user of the tests is called.
  const written = await readFile(kubeconfig, 'utf8')
  await writeFile(kubeconfig, written.replace(/^(\s*"?username"?:\s*).*?(,?)$/m, '$1"ada"$2'))
  const cwd = join(folder, 'work')
  await mkdir(cwd)
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(cwd, name), text)
  await writeFile(join(folder, 'editor'), '#!/bin/sh\nsed -i "s/Looks after hosts/Looks after its hosts/" "$1"\n', {
    mode: 0o755,
  })
  const transcript = transcriptOf({ path, kubeconfig, cache: join(folder, 'cache'), cwd })
  maskRevision(transcript, here)
  return {
    here,
    transcript,
    editor: join(folder, 'editor'),
    async close() {
      await here.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The commit that is applied, as tables and messages shorten it. */
function maskRevision({ mask }: Transcript, { repo }: Installation): void {
  const tip = git(repo, ['rev-parse', 'main']).trim()
  for (const length of [12, 7]) mask(tip.slice(0, length), `<commit:${length}>`)
}

async function readsAndExplains({ k }: Transcript, isRecent: boolean): Promise<void> {
  await k('api-resources --api-group=stateward.dev', { grep: 'Agent' })
  await k("api-resources --api-group=''")
  await k('api-versions')
  await k('get --raw /kube/readyz')
  await k('get namespaces -o name')
  await k('get agents')
  await k('get ag -A -o wide')
  await k('get agents -A -l team=platform -o name')
  await k('get agents -A -l team!=platform -o name')
  await k('get agents -A --field-selector metadata.namespace=docs -o name')
  await k('get agents,blueprints')
  await k('get all -l team=platform')
  await k('get all -o name')
  await k('get agent sre -o yaml')
  await k('get agent sre -o jsonpath={.spec.description}')
  await k('get agent nobody')
  await k('get agents --field-selector spec.replicas=0')
  await k('get swans')
  await k('describe agent sre')
  await k('describe blueprint release')
  if (!isRecent) return
  await k('explain agent.spec.heartbeat')
  await k('explain agent.spec.nothing')
  await k('explain run.status')
}

async function asks({ k }: Transcript, isRecent: boolean): Promise<void> {
  await k('auth can-i create agents')
  await k('auth can-i delete runs')
  await k('auth can-i get pods --subresource=log')
  await k('auth can-i --list', { grep: 'agents' })
  if (isRecent) await k('auth whoami', { grep: 'Username' })
}

async function writes(transcript: Transcript, here: Installation, editor: string, isRecent: boolean): Promise<void> {
  const { k, note } = transcript
  await k('apply -f same.yaml')
  if (isRecent) {
    await k('diff -f same.yaml')
    await k('diff -f more.yaml')
    await k('apply -f more.yaml --dry-run=server')
    await k('create -f new.yaml --dry-run=server -o name')
    await k('delete agent sre --dry-run=server')
  }
  const proposed = await k('apply -f more.yaml')
  if (isRecent) await k('apply -f more.yaml')
  const [, branch, proposal] = /on branch (\S+), .* merge (\S+)/.exec(proposed)!
  await k(`wait --for=condition=Mergeable proposal/${proposal} --timeout=30s`)
  await k('get proposals')
  await k('get agent sre -o jsonpath={.spec.replicas}')
  note('somebody merges it')
  git(here.repo, ['update-ref', 'refs/heads/main', branch!])
  await until('the merge', () => here.object('Agent/default/sre').spec['replicas'] === 2)
  await here.stateward.settled()
  maskRevision(transcript, here)
  await k('get agent sre -o jsonpath={.spec.replicas}')
  if (isRecent) await k('apply -f more.yaml')
  if (isRecent) await k('apply --server-side -f same.yaml')
  await k('create -f new.yaml')
  await k('create -f same.yaml')
  await k('create -f wrong.yaml')
  await k('edit agent scribe -n docs', { env: { EDITOR: 'true', KUBE_EDITOR: 'true' } })
  note('the editor writes "Looks after its hosts"')
  await here.apply({ 'agents/sre.yaml': STATE['agents/sre.yaml'] })
  maskRevision(transcript, here)
  await k('edit agent sre', { env: { EDITOR: editor, KUBE_EDITOR: editor } })
  await k(`patch agent sre --type=merge -p '{"spec":{"replicas":3}}'`)
  await k(`patch agent sre --type=json -p '[{"op":"replace","path":"/spec/replicas","value":4}]'`)
  await k(`patch agent sre --type=merge -p '{"spec":{"replicas":"many"}}'`)
  await k(`patch agent sre -p '{"spec":{"replicas":3}}'`)
  await k('label agent sre tier=one')
  await k('annotate agent sre example.com/note=hello')
  await k('scale agent sre --replicas=5')
  await k('delete agent sre')
  await k('get agent sre -o name')
  await k('delete tool fs.read')
  await k('apply -f direct.yaml')
  await until('it to be applied', () => here.stateward.world.get('Agent/default/direct') !== undefined)
  await here.stateward.settled()
  maskRevision(transcript, here)
  await k('get agent direct -o name')
  if (isRecent) await k('diff -f direct.yaml')
}

async function runs(transcript: Transcript, here: Installation, isRecent: boolean): Promise<void> {
  const { k, note, mask } = transcript
  const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'release' })
  const run = String(body['name'])
  mask(run, 'release-k3q9zt')
  note('a run of the blueprint begins')
  await until('the gate', async () => (await here.ask('GET', `/api/v1/gates/${run}.approve`)).status === 200)
  await k('get runs')
  await k(`get steps -l stateward.dev/run=${run}`)
  await k('get pods')
  await k(`logs ${run} -c run --tail=1`)
  const following = k(`logs ${run} -f`)
  await k(`annotate run ${run} stateward.dev/approve=nothing`)
  await k(`annotate run ${run} stateward.dev/approve=approve`)
  await k(`wait --for=condition=Succeeded run/${run} --timeout=30s`)
  await following
  await k(`get run ${run} -o jsonpath={.status.outputs}`)
  await k(`describe run ${run}`)
  await k(`delete run ${run}`)
  await k('annotate agent sre stateward.dev/suspend=true')
  await here.untilCondition('Agent/default/sre', 'Suspended', 'True')
  await k('get agent sre')
  await k('annotate agent sre stateward.dev/suspend=false')
  if (isRecent) await k('events --for agent/scribe -n docs')
  await k(`get events --field-selector involvedObject.name=${run}`)
}

async function sessionOf(path: string, isRecent: boolean): Promise<string> {
  const { here, transcript, editor, close } = await openSession(path)
  try {
    await readsAndExplains(transcript, isRecent)
    await asks(transcript, isRecent)
    await writes(transcript, here, editor, isRecent)
    await runs(transcript, here, isRecent)
    return transcript.text()
  } catch (cause) {
    throw new Error(`it went no further than this:\n${transcript.text()}`, { cause })
  } finally {
    await close()
  }
}

describe('a session with kubectl', () => {
  it('has a kubectl', () => expect(found.length).toBeGreaterThan(0))

  if (recent !== undefined)
    it('goes as it was written down', async () => {
      await expect(await sessionOf(recent.path, true)).toMatchFileSnapshot('./kubectl/session.txt')
    }, 180_000)

  if (old !== undefined)
    it('goes with an old one as it was written down, without diff, explain and dry runs at the server', async () => {
      await expect(await sessionOf(old.path, false)).toMatchFileSnapshot('./kubectl/session-old.txt')
    }, 180_000)
})
