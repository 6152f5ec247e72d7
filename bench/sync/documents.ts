/**
 * The documents of a generated state repo: mostly Agents and Blueprints, with the projects, templates, tools, policies and
 * budgets they come with; 770 bytes and 31 lines on average, in a hundred folders. The same number gives the same text.
 */

const FOLDERS = 100
/** So many of the documents stand together in one file. */
const IN_ONE_FILE = 20
const SHARED_FILE = 'shared/many.yaml'

/** Kinds of a folder's documents, in this order and from the start again. */
const MIX = mix()

export interface GeneratedFile {
  readonly path: string
  readonly text: string
}

function mix(): readonly string[] {
  const rare = ['Project', 'AgentTemplate', 'Tool', 'Policy', 'Budget', 'Tool']
  return Array.from({ length: 100 }, (_, row) => {
    if (row % 9 === 0 && row / 9 < rare.length) return rare[row / 9]!
    return row % 3 === 2 ? 'Blueprint' : 'Agent'
  })
}

/** All files of a repo with so many documents, and the programs some of its agents name. */
export function* stateRepoFiles(documents: number): Iterable<GeneratedFile> {
  const single = documents - IN_ONE_FILE
  for (let i = 0; i < single; i++) yield { path: pathOf(i), text: documentText(i, 0) }
  const together = Array.from({ length: IN_ONE_FILE }, (_, i) => documentText(single + i, 0))
  yield { path: SHARED_FILE, text: together.join('---\n') }
  for (let folder = 0; folder < FOLDERS; folder++) {
    yield { path: `${folderOf(folder)}/program/main.mjs`, text: `console.log('the program of ${folderOf(folder)}')\n` }
  }
}

/** Edits of one file each, no file twice: what people change most, an agent or a blueprint. */
export function* oneFileEdits(documents: number, count: number): Iterable<GeneratedFile> {
  const single = documents - IN_ONE_FILE
  let made = 0
  // 61 has no common factor with the number of folders or of documents: neighbours stand in different folders.
  for (let step = 0, i = 7; made < count && step < single; step++, i = (i + 61) % single) {
    const kind = kindOf(i)
    if (kind !== 'Agent' && kind !== 'Blueprint') continue
    made++
    yield { path: pathOf(i), text: documentText(i, made) }
  }
}

function pathOf(i: number): string {
  return `${folderOf(i % FOLDERS)}/${nameOf(i)}.yaml`
}

function kindOf(i: number): string {
  return MIX[Math.floor(i / FOLDERS) % MIX.length]!
}

function nameOf(i: number): string {
  return `${kindOf(i).toLowerCase()}-${String(i).padStart(6, '0')}`
}

function folderOf(folder: number): string {
  return `team-${String(folder).padStart(2, '0')}`
}

function documentText(i: number, revision: number): string {
  const folder = i % FOLDERS
  const kind = kindOf(i)
  const row = Math.floor(i / FOLDERS)
  const head = `# yaml-language-server: $schema=../.schemas/stateward.schema.json
apiVersion: stateward.dev/v1alpha1
kind: ${kind}
metadata:
  name: ${nameOf(i)}
  labels:
    team: ${folderOf(folder)}
    tier: ${['gold', 'silver', 'bronze'][i % 3]}
spec:
`
  const description = `  description: The ${kind.toLowerCase()} number ${i} of ${folderOf(folder)}, changed ${revision} times since it was made.\n`
  switch (kind) {
    case 'Agent':
      return head + description + agentSpec(i, folder, row)
    case 'Blueprint':
      return head + description + blueprintSpec(i, folder)
    case 'Tool':
      return head + description + TOOL_SPEC
    case 'AgentTemplate':
      return head + description + TEMPLATE_SPEC
    case 'Policy':
      return head + POLICY_SPEC
    case 'Budget':
      return head + budgetSpec(folder)
    default:
      return `${head}${description}  lifecyclePhase: active\n  ownerRef:\n    kind: Team\n    name: ${folderOf(folder)}\n`
  }
}

function agentSpec(i: number, folder: number, row: number): string {
  // The first agent of each folder has its program in the repo, every fifth names the folder's template.
  const workdir = row === 1 ? `      workdir: ${folderOf(folder)}/program\n` : ''
  const template =
    row % 5 === 0 ? `  templateRef:\n    name: agenttemplate-${String(9 * FOLDERS + folder).padStart(6, '0')}\n` : ''
  return `  displayName: Agent ${i}
${template}  projectRef:
    name: project-${String(folder).padStart(6, '0')}
  capabilities:
    - linux
    - capability-${i % 40}
  replicas: ${(i % 4) + 1}
  resources:
    slots: ${(i % 2) + 1}
  runtime:
    process:
      mode: perTask
      command:
        - node
        - main.mjs
        - --verbose
        - "--shard=${i}"
${workdir}  restartPolicy: OnFailure
`
}

/** Each team names its inputs and steps in its own way. */
function blueprintSpec(i: number, folder: number): string {
  const host = `host_${folder}`
  const analyze = `analyze_${folder}`
  return `  triggers:
    - event: alerts.team_${folder}.raised
      filter: event.data.severity > ${i % 10}
  inputs:
    - name: ${host}
      schema: {type: string}
      required: true
      from: event.data.host
    - name: service
      schema: {type: string}
      required: true
      from: event.data.service
  limits: {timeout: 1h}
  plan:
    - id: ${analyze}
      kind: agent_task
      agent: agent-${String(FOLDERS + folder).padStart(6, '0')}
      prompt: "What is wrong with {{ inputs.service }} on {{ inputs.${host} }}?"
      timeout: 5m
    - id: approve
      kind: gate
      mode: manual
      timeout: 12h
    - id: report
      kind: action_task
      action: fs.write
      with:
        path: report-${i}.md
        content: "{{ steps.${analyze}.output.text }}"
  outputs:
    - {name: summary, value: "{{ inputs.service }} on {{ inputs.${host} }}"}
`
}

const TOOL_SPEC = `  executor:
    command:
      stdin: json
      command: [node, tool.mjs]
  inputSchema:
    type: object
    additionalProperties: false
    required: [host, cmd]
    properties:
      host: {type: string, minLength: 1}
      cmd: {type: string, minLength: 1}
  outputSchema:
    type: object
    properties:
      stdout: {type: string}
  risk: medium
  sideEffects: reversible
  idempotent: true
  timeout: 30s
`

const TEMPLATE_SPEC = `  runtime:
    process:
      mode: perTask
      stdin: json
  heartbeat:
    interval: 15s
    timeout: 60s
  terminationGracePeriodSeconds: 10
`

const POLICY_SPEC = `  type: governance
  evaluationMode: first_match
  enforcement: enforce
  rules:
    - id: remote-commands
      priority: 10
      match: {action: ssh.run}
      effect: require_approval
      requirements:
        approvals: {min: 1, fromAnyOf: ["role:operator"]}
`

function budgetSpec(folder: number): string {
  return `  scopeRef:
    kind: Project
    name: project-${String(folder).padStart(6, '0')}
  maxUsd: 25
  window: month
  alertThresholdPercent: [80, 95]
  action: Pause
`
}
