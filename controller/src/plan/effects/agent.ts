import { launchSpec } from '../../kinds/agent/launch-spec.ts'
import { isPerTask } from '../../kinds/agent/runtime-mode.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { isObject, type JsonObject, valueAt } from '../../lib/json.ts'
import { allowanceFindings } from './agent-allowance.ts'
import { modelFindings, modelOf } from './agent-model.ts'
import { difference, type EffectReader, type Finding, gainedText } from './effect.ts'
import { autonomyFinding } from './governance.ts'
import { secretFindings } from './shared-findings.ts'

/** What becomes of the processes of an agent, and what they can reach. */
export const agentEffects: EffectReader = ({ before, after, filesChanged, namespace }, around) => {
  if (after === null) return [{ effect: 'stops', risk: 'medium', message: `stops its ${instances(before!)}` }]
  const findings: Finding[] = []
  if (before === null)
    findings.push({ effect: 'starts', risk: 'medium', message: `starts ${instances(after)} of ${program(after)}` })
  else findings.push(...changes(before, after, filesChanged))
  findings.push(...allowanceFindings(before, after, around, namespace))
  findings.push(...modelFindings(before, after, around, namespace))

  findings.push(...secretFindings(before, after))
  const hosts = difference(
    before === null ? [] : around.hosts('before', before['hostSelector']),
    around.hosts('after', after['hostSelector']),
  )
  if (hosts !== null && before !== null)
    findings.push({
      effect: 'hosts',
      risk: hosts.gained.length > 0 ? 'medium' : 'low',
      message: gainedText('may run on', hosts),
      ...hosts,
    })
  return findings
}

function changes(before: JsonObject, after: JsonObject, filesChanged: boolean): Finding[] {
  const findings: Finding[] = []
  if (before['suspend'] !== after['suspend'])
    findings.push({
      effect: 'suspension',
      risk: after['suspend'] === true ? 'low' : 'medium',
      message: after['suspend'] === true ? 'is suspended: no tasks, nothing is started' : 'is no longer suspended',
    })
  if (before['suspendUntil'] !== after['suspendUntil'])
    findings.push({
      effect: 'suspension',
      risk: 'low',
      message:
        after['suspendUntil'] === undefined
          ? 'is suspended until no time'
          : `is suspended until ${String(after['suspendUntil'])}`,
    })
  if (program(before) !== program(after))
    findings.push({
      effect: 'program',
      risk: 'high',
      message: `runs ${program(after)} instead of ${program(before)}`,
    })
  if (before['autonomy'] !== after['autonomy']) findings.push(autonomyFinding(before, after))
  const [asked, asks] = [before, after].map(({ requireApproval }) => (requireApproval ?? []) as string[]) as [
    string[],
    string[],
  ]
  const gates = difference(asked, asks)
  if (gates !== null)
    findings.push({
      effect: 'gates',
      risk: gates.lost.length > 0 ? 'high' : 'low',
      message: gainedText('needs an approval for', gates),
      ...gates,
    })
  const relaunched = canonicalJson(launchSpec(before)) !== canonicalJson(launchSpec(after))
  if (relaunched || filesChanged)
    findings.push({
      effect: 'restarts',
      risk: filesChanged ? 'medium' : 'low',
      message: isDaemon(after)
        ? `restarts its ${instances(before)}${filesChanged ? ', whose files changed' : ''}`
        : `new tasks run ${filesChanged ? 'with the changed files' : 'as it says now'}; those under way end as they began`,
    })
  const [from, to] = [replicas(before), replicas(after)]
  const [fromSlots, toSlots] = [from * slots(before), to * slots(after)]
  if (from !== to || fromSlots !== toSlots)
    findings.push({
      effect: 'scale',
      risk: toSlots > fromSlots ? 'medium' : 'low',
      message: `${from} → ${to} replicas, ${fromSlots} → ${toSlots} slots`,
    })
  return findings
}

function isDaemon(spec: JsonObject): boolean {
  return modelOf(spec) === null && !isPerTask(spec)
}

function instances(spec: JsonObject): string {
  const count = replicas(spec)
  const what = isDaemon(spec) ? 'instance' : 'place for tasks'
  return `${count} ${count === 1 ? what : isDaemon(spec) ? 'instances' : 'places for tasks'}`
}

function replicas(spec: JsonObject): number {
  return typeof spec['replicas'] === 'number' ? spec['replicas'] : 1
}

function slots(spec: JsonObject): number {
  const count = valueAt(spec, '/resources/slots')
  return typeof count === 'number' ? count : 1
}

function program(spec: JsonObject): string {
  // Which model it is, is told beside it.
  const model = modelOf(spec)
  if (model !== null) return 'a model'
  const image = valueAt(spec, '/runtime/pod/image')
  const command = valueAt(spec, image === undefined ? '/runtime/process/command' : '/runtime/pod/command')
  if (image !== undefined) return `image \`${String(image)}\`${Array.isArray(command) ? ` as ${wordsOf(command)}` : ''}`
  return Array.isArray(command) ? wordsOf(command) : 'nothing'
}

function wordsOf(command: readonly unknown[]): string {
  const words = command.map((word) => (isObject(word) ? JSON.stringify(word) : String(word)))
  return `\`${words.map((word) => (/^[\w./:=@-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')}\``
}
