import { sha256 } from '../../src/lib/digest.ts'
import { GITHUB_TOKEN } from './fake-secrets.ts'
import type { FileContent } from './git-remote.ts'
import { agent, manifest } from './state-files.ts'

/** What people get wrong in a state repo, each with the codes it has to be told with. */
export interface BadCase {
  /** Files of the commit that was applied before, beside those every case has. */
  readonly before?: Readonly<Record<string, FileContent>>
  /** Files of the commit that is planned. */
  readonly files: Readonly<Record<string, FileContent>>
  /** Every code that is told, sorted, each once. */
  readonly codes: readonly string[]
}

const HEAD = 'apiVersion: stateward.dev/v1alpha1\n'
const one = (text: string | Buffer, ...codes: string[]): BadCase => ({ files: { 'bad.yaml': text }, codes })

/** An agent `bad` with these lines under `spec`. */
const badAgent = (lines: string, ...codes: string[]): BadCase =>
  one(
    `${HEAD}kind: Agent\nmetadata:\n  name: bad\nspec:\n  runtime: {process: {command: [node, bad.js]}}\n${lines.replace(/^/gm, '  ')}\n`,
    ...codes,
  )

const step = (lines: string) => lines.trim().replace(/^/gm, '      ').replace('      ', '    - ')

/** A blueprint that calls another one. */
const calling = (name: string, ref: string, inputs = '{}') => `${HEAD}kind: Blueprint
metadata: {name: ${name}}
spec:
  plan: [{id: call, kind: blueprint, ref: ${ref}, inputs: ${inputs}}]
`

/** A blueprint `bad` with two inputs and these steps. */
const badPlan = (steps: readonly string[], codes: readonly string[], extra = '', field = ''): BadCase => ({
  files: {
    'bad.yaml': `${HEAD}kind: Blueprint
metadata: {name: bad}
spec:
${field === '' ? '' : `  ${field}\n`}  triggers:
    - event: checkmk.alert
${extra}  inputs:
    - {name: host, schema: {type: string}, required: true, from: event.data.host}
    - {name: port, schema: {type: integer}, default: 22, from: event.data.port}
  plan:
${steps.map(step).join('\n')}
`,
  },
  codes,
})

const gate = 'id: approve\nkind: gate\nmode: manual'

/** A tool whose `cmd` is read by a shell. */
const SHELL_TOOL = manifest('Tool', 'ssh.run', {
  executor: { command: { command: ['cat'], stdin: 'json' } },
  inputSchema: {
    type: 'object',
    required: ['host', 'cmd'],
    properties: { host: { type: 'string' }, cmd: { type: 'string', 'x-shell': true } },
    additionalProperties: false,
  },
})

const shellPlan = (lines: string, ...codes: string[]): BadCase => {
  const { files } = badPlan([`id: fix\nkind: action_task\naction: ssh.run\n${lines}`], codes)
  return { files: { ...files, 'ssh-run.yaml': SHELL_TOOL }, codes }
}

const YAML: Readonly<Record<string, BadCase>> = {
  'syntax-error': badAgent('description: a: b', 'SW_YAML_SYNTAX'),
  'bracket-not-closed': badAgent('capabilities: [alerts, linux', 'SW_YAML_SYNTAX'),
  'quote-not-closed': badAgent('description: "Watches alerts', 'SW_YAML_SYNTAX'),
  'wrong-indentation': badAgent('resources:\n    slots: 1\n  cpu: 1', 'SW_YAML_SYNTAX'),
  'tab-indentation': badAgent('resources:\n\tslots: 1', 'SW_YAML_SYNTAX'),
  'control-character': badAgent('description: "bell \u0007"', 'SW_YAML_SYNTAX'),
  'key-that-is-a-map': badAgent('? {a: b}\n: c', 'SW_YAML_SYNTAX'),
  'duplicate-key': badAgent('replicas: 1\ndescription: x\nreplicas: 2', 'SW_DUPLICATE_KEY'),
  'alias-without-anchor': badAgent('description: *nowhere', 'SW_YAML_ALIASES'),
  'alias-of-another-document': one(
    `${HEAD}kind: Host\nmetadata: &here {name: bad}\n---\n${HEAD}kind: Host\nmetadata: *here\n`,
    'SW_YAML_ALIASES',
  ),
  'alias-inside-its-anchor': badAgent('dependsOn: &self\n- *self', 'SW_DOCUMENT_TOO_LARGE'),
  'billion-laughs': one(
    `${HEAD}kind: Tool\nmetadata: {name: bad}\nspec:\n  executor: {command: {command: [cat]}}\n  inputSchema:\n    a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n${['b', 'c', 'd', 'e', 'f'].map((name, i) => `    ${name}: &${name} [${Array(9).fill(`*${'abcde'[i]}`).join(', ')}]\n`).join('')}`,
    'SW_DOCUMENT_TOO_LARGE',
  ),
  'too-many-aliases': badAgent(
    `description: &d x\ncapabilities:\n${Array(60).fill('- *d').join('\n')}`,
    'SW_YAML_ALIASES',
  ),
  'too-deep': badAgent(`x: ${'['.repeat(200)}${']'.repeat(200)}`, 'SW_DOCUMENT_TOO_LARGE'),
  'unknown-tag': badAgent('description: !secret keys/openai', 'SW_YAML_TAG'),
  'binary-tag': badAgent('description: !!binary aGVsbG8=', 'SW_YAML_TAG'),
  'merge-key': badAgent('resources: &r {slots: 1}\nheartbeat: {<<: *r}', 'SW_UNKNOWN_FIELD'),
  'not-a-number': badAgent('replicas: .nan', 'SW_UNSAFE_NUMBER'),
  infinity: badAgent('replicas: .inf', 'SW_UNSAFE_NUMBER'),
  'integer-beyond-2-53': badAgent('replicas: 9007199254740993', 'SW_UNSAFE_NUMBER'),
  'nul-in-text': badAgent('description: "a\\0b"', 'SW_UNSAFE_TEXT'),
  'half-a-surrogate-pair': badAgent('description: "\\uD83D"', 'SW_UNSAFE_TEXT'),
  'two-documents-one-broken': one(
    [agent('first'), `${agent('broken')}  oops: [\n`, agent('third')].join('---\n'),
    'SW_YAML_SYNTAX',
  ),
  'broken-beside-empty-documents': one(
    `# head\n---\n---\n${agent('first', { replics: 1 })}---\na: [\n---\n${agent('last', { replicas: 'x' })}`,
    'SW_UNKNOWN_FIELD',
    'SW_WRONG_TYPE',
    'SW_YAML_SYNTAX',
  ),
}

const FILES: Readonly<Record<string, BadCase>> = {
  'file-over-1-mib': one(`${agent('bad')}# ${'x'.repeat(1024 * 1024)}\n`, 'SW_FILE_TOO_LARGE'),
  binary: one(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2]), 'SW_FILE_BINARY'),
  'utf-16': one(Buffer.from(`\ufeff${agent('bad')}`, 'utf16le'), 'SW_FILE_ENCODING'),
  'latin-1': one(Buffer.from(`${agent('bad')}# caf\u00e9\n`, 'latin1'), 'SW_FILE_ENCODING'),
  'too-many-documents': one(Array(2_001).fill('a: 1\n').join('---\n'), 'SW_TOO_MANY_DOCUMENTS'),
  'symbolic-link': { files: { 'bad.yaml': { mode: '120000', content: '../../etc/passwd' } }, codes: ['SW_SYMLINK'] },
  submodule: {
    files: { 'shared-agents': { mode: '160000', oid: '1234567890123456789012345678901234567890' } },
    codes: ['SW_SUBMODULE'],
  },
  'empty-files': { files: { 'bad.yaml': '', 'comment.yaml': '# later\n', 'dashes.yaml': '---\n---\n' }, codes: [] },
  'foreign-yaml': {
    files: {
      'deploy.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n',
      'values.yaml': 'replicas: many\n',
      'list.json': '[1, 2]',
      'text.yml': 'just words\n',
    },
    codes: [],
  },
  'helm-template': {
    files: {
      'chart/templates/x.yaml': 'apiVersion: apps/v1\n{{- if .Values.on }}\nkind: {{ .Values.kind }}\n{{- end }}\n',
    },
    codes: [],
  },
  'foreign-yaml-broken': {
    files: { 'other.yaml': 'a: [1\n', 'comments.json': '{\n  // why\n  "a": 1\n}\n' },
    codes: ['SW_FOREIGN_UNREADABLE'],
  },
  'file-that-became-unreadable': {
    before: { 'two.yaml': [agent('one'), agent('two')].join('---\n') },
    files: { 'two.yaml': '<<<<<<< HEAD\napiVersion: stateward.dev/v1alpha1\n=======\nkind: Agent\n>>>>>>> theirs\n' },
    codes: ['SW_YAML_SYNTAX'],
  },
  'file-that-became-binary': {
    before: { 'one.yaml': agent('one') },
    files: { 'one.yaml': Buffer.from([1, 0, 2]) },
    codes: ['SW_FILE_BINARY'],
  },
  'file-that-became-a-link': {
    before: { 'one.yaml': agent('one') },
    files: { 'one.yaml': { mode: '120000', content: 'elsewhere.yaml' } },
    codes: ['SW_SYMLINK'],
  },
  'plaintext-secret': {
    before: { 'bad.yaml': agent('bad') },
    files: { 'bad.yaml': agent('bad', { description: `call with ${GITHUB_TOKEN}` }) },
    codes: ['SW_PLAINTEXT_SECRET'],
  },
  'plaintext-secret-in-a-program': {
    files: { 'agents/main.js': `const token = '${GITHUB_TOKEN}'\n` },
    codes: ['SW_PLAINTEXT_SECRET'],
  },
  'allowed-secret': one(
    `# stateward.dev/allow-secret: ${sha256(GITHUB_TOKEN).slice(0, 12)}\n${agent('bad', { description: GITHUB_TOKEN })}`,
    'SW_ALLOWED_SECRET',
  ),
  'object-moved-into-a-broken-file': {
    before: { 'one.yaml': agent('one') },
    files: { 'one.yaml': null, 'moved/one.yaml': `${agent('one')}  oops: [\n` },
    codes: ['SW_YAML_SYNTAX'],
  },
}

const DOCUMENTS: Readonly<Record<string, BadCase>> = {
  'unknown-kind': one(`${HEAD}kind: Agnet\nmetadata: {name: bad}\n`, 'SW_UNKNOWN_KIND'),
  'kind-missing': one(`${HEAD}metadata: {name: bad}\n`, 'SW_UNKNOWN_KIND'),
  'unknown-version': one('apiVersion: stateward.dev/v2\nkind: Agent\nmetadata: {name: bad}\n', 'SW_UNKNOWN_VERSION'),
  'metadata-missing': one(`${HEAD}kind: Host\nspec: {}\n`, 'SW_MISSING_FIELD'),
  'name-missing': one(`${HEAD}kind: Host\nmetadata: {labels: {a: b}}\n`, 'SW_MISSING_FIELD'),
  'name-in-capitals': one(manifest('Host', 'Bad_Host'), 'SW_BAD_VALUE'),
  'name-too-long': one(manifest('Host', 'x'.repeat(64)), 'SW_BAD_VALUE'),
  'name-with-a-slash': one(manifest('Agent', 'default/good'), 'SW_BAD_VALUE'),
  'namespace-of-a-cluster-kind': one(manifest('Host', 'bad', {}, { namespace: 'prod' }), 'SW_BAD_VALUE'),
  'label-with-blanks': one(manifest('Host', 'bad', {}, { labels: { team: 'the platform' } }), 'SW_BAD_VALUE'),
  'annotation-of-ours-unknown': one(
    manifest('Host', 'odd', {}, { annotations: { 'stateward.dev/prun': 'disabled' } }),
    'SW_UNKNOWN_FIELD',
  ),
  'annotation-of-ours-wrong': one(
    manifest('Host', 'bad', {}, { annotations: { 'stateward.dev/prune': 'no' } }),
    'SW_BAD_VALUE',
  ),
  'fields-of-the-controller': one(
    `${HEAD}kind: Host\nmetadata:\n  name: pasted\n  uid: 0190-aa\n  resourceVersion: "7"\nspec: {}\nstatus:\n  phase: Ready\n`,
    'SW_SERVER_FIELD',
  ),
  'field-beside-spec': one(
    `${HEAD}kind: Host\nmetadata: {name: bad}\nspce: {role: control}\nspec: {}\n`,
    'SW_UNKNOWN_FIELD',
  ),
  'spec-is-a-list': one(`${HEAD}kind: Host\nmetadata: {name: bad}\nspec: [role, control]\n`, 'SW_WRONG_TYPE'),
  'list-with-a-broken-item': one(
    `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: stateward.dev/v1alpha1, kind: Host, metadata: {name: fine}}\n  - apiVersion: stateward.dev/v1alpha1\n    kind: Host\n    metadata: {name: bad}\n    spec: {rol: control}\n  - apiVersion: stateward.dev/v1alpha1\n    kind: Agent\n    metadata: {name: orphan}\n    spec:\n      runtime: {process: {command: [node]}}\n      parentRef: {name: nobody}\n`,
    'SW_REFERENCE_NOT_FOUND',
    'SW_UNKNOWN_FIELD',
  ),
  'duplicate-identity': {
    files: { 'a/bad.yaml': agent('bad'), 'b/bad.yaml': agent('bad', { replicas: 2 }) },
    codes: ['SW_DUPLICATE_OBJECT'],
  },
  'duplicate-identity-in-one-file': one(
    [agent('bad'), agent('bad', { replicas: 2 })].join('---\n'),
    'SW_DUPLICATE_OBJECT',
  ),
  'duplicate-of-what-is-applied': {
    files: { 'copy-of-good.yaml': agent('good', { replicas: 2 }) },
    codes: ['SW_DUPLICATE_OBJECT'],
  },
  'escape-sequences': badAgent('"\\e[2J\\u202e": x', 'SW_UNKNOWN_FIELD'),
  'key-of-every-object': badAgent('__proto__: {replicas: 9}\nconstructor: x', 'SW_UNKNOWN_FIELD'),
}

const FIELDS: Readonly<Record<string, BadCase>> = {
  'unknown-field': badAgent('replics: 2', 'SW_UNKNOWN_FIELD'),
  'unknown-field-deep': one(
    manifest('Agent', 'bad', { runtime: { process: { command: ['node'], wrkdir: 'x' } } }),
    'SW_UNKNOWN_FIELD',
  ),
  'wrong-type': badAgent('replicas: many\ncapabilities: linux', 'SW_WRONG_TYPE'),
  'missing-required': one(manifest('Budget', 'bad', { maxUsd: 25 }), 'SW_MISSING_FIELD'),
  'missing-command': one(manifest('Agent', 'bad', { runtime: { process: { mode: 'daemon' } } }), 'SW_MISSING_FIELD'),
  enum: badAgent('restartPolicy: Allways', 'SW_BAD_VALUE'),
  pattern: badAgent('agentId: "7"', 'SW_BAD_VALUE'),
  'number-for-text': badAgent('agentId: 007', 'SW_WRONG_TYPE'),
  'number-out-of-range': badAgent('replicas: -1', 'SW_BAD_VALUE'),
  'duration-without-unit': badAgent('heartbeat: {interval: 30 s}', 'SW_BAD_VALUE'),
  'timeout-below-interval': badAgent('heartbeat: {interval: 30s, timeout: 10s}', 'SW_BAD_VALUE'),
  'listed-twice': badAgent('capabilities: [linux, linux]', 'SW_BAD_VALUE'),
  'prompt-for-a-daemon': one(
    manifest('Agent', 'bad', { runtime: { process: { command: ['node'], mode: 'daemon', stdin: 'prompt' } } }),
    'SW_BAD_VALUE',
  ),
  'schema-of-an-event-that-is-none': one(
    manifest('EventType', 'bad', { event: 'their.thing', dataSchema: { type: 'text' } }),
    'SW_BAD_VALUE',
  ),
  'schema-of-an-event-from-elsewhere': one(
    manifest('EventType', 'bad', { event: 'their.thing', dataSchema: { $ref: 'https://example.org/schema.json' } }),
    'SW_BAD_VALUE',
  ),
  'event-of-ours': one(
    manifest('EventType', 'bad', { event: 'stateward.run.started', dataSchema: {} }),
    'SW_BAD_VALUE',
  ),
  'url-and-path': one(manifest('Source', 'bad', { url: 'https://example.org/x.git', path: 'y' }), 'SW_BAD_VALUE'),
  'template-that-completes-nothing': {
    files: {
      'bad.yaml': manifest('Agent', 'bad', { templateRef: { name: 'half' } }),
      'half.yaml': manifest('AgentTemplate', 'half', { restartPolicy: 'Never' }),
    },
    codes: ['SW_MISSING_FIELD'],
  },
  'override-that-breaks': {
    files: {
      'production.yaml': manifest('Environment', 'prod', {
        overrides: [{ target: { kind: 'Agent' }, patch: { replicas: 'many' } }],
      }),
      'bad.yaml': agent('bad', {}, { namespace: 'prod' }),
    },
    codes: ['SW_WRONG_TYPE'],
  },
}

const REFERENCES: Readonly<Record<string, BadCase>> = {
  'missing-reference': badAgent('parentRef: {name: nobody}', 'SW_REFERENCE_NOT_FOUND'),
  'missing-template': one(
    manifest('Agent', 'bad', { templateRef: { name: 'enginer' } }),
    'SW_MISSING_FIELD',
    'SW_REFERENCE_NOT_FOUND',
  ),
  'reference-of-an-unknown-kind': badAgent('dependsOn: [{kind: Deamon, name: x}]', 'SW_UNKNOWN_KIND'),
  'missing-agent-of-a-step': badPlan(
    ['id: ask\nkind: agent_task\nagent: nobody\nprompt: Why?'],
    ['SW_REFERENCE_NOT_FOUND'],
  ),
  'broken-reference': {
    files: {
      'bad.yaml': agent('bad', { replicas: 'x' }),
      'child.yaml': agent('child', { parentRef: { name: 'bad' } }),
    },
    codes: ['SW_REFERENCE_BROKEN', 'SW_WRONG_TYPE'],
  },
  'broken-again-but-applied-before': {
    before: { 'boss.yaml': agent('boss') },
    files: {
      'boss.yaml': agent('boss', { replicas: 'x' }),
      'child.yaml': agent('child', { parentRef: { name: 'boss' } }),
    },
    codes: ['SW_WRONG_TYPE'],
  },
  'reference-lost-by-a-deletion': {
    before: { 'boss.yaml': agent('boss'), 'child.yaml': agent('child', { parentRef: { name: 'boss' } }) },
    files: {
      'boss.yaml': agent('boss', {}, { annotations: { 'stateward.dev/prune': 'disabled' } }),
      'child.yaml': agent('child', { parentRef: { name: 'bos' } }),
    },
    codes: ['SW_REFERENCE_NOT_FOUND'],
  },
  'cycle-of-one': badAgent('parentRef: {name: bad}', 'SW_DEPENDENCY_CYCLE'),
  'cycle-of-two': {
    files: { 'a.yaml': agent('a', { parentRef: { name: 'b' } }), 'b.yaml': agent('b', { parentRef: { name: 'a' } }) },
    codes: ['SW_DEPENDENCY_CYCLE'],
  },
  'cycle-of-three-with-a-dependant': {
    files: {
      'a.yaml': agent('a', { dependsOn: [{ kind: 'Agent', name: 'b' }] }),
      'b.yaml': agent('b', { parentRef: { name: 'c' } }),
      'c.yaml': agent('c', { dependsOn: [{ kind: 'Agent', name: 'a' }] }),
      'd.yaml': agent('d', { parentRef: { name: 'c' } }),
    },
    codes: ['SW_DEPENDENCY_CYCLE', 'SW_REFERENCE_BROKEN'],
  },
  'duplicate-agent-id': {
    files: { 'a.yaml': agent('a', { agentId: '007' }), 'b.yaml': agent('b', { agentId: '007' }) },
    codes: ['SW_DUPLICATE_OBJECT'],
  },
  'missing-workdir': one(
    manifest('Agent', 'bad', { runtime: { process: { command: ['node'], workdir: 'agents/bad' } } }),
    'SW_FILE_NOT_FOUND',
  ),
  'workdir-that-leaves-the-repo': one(
    manifest('Agent', 'bad', { runtime: { process: { command: ['node'], workdir: '../secrets' } } }),
    'SW_BAD_VALUE',
  ),
}

const PLANS: Readonly<Record<string, BadCase>> = {
  'step-kind-unknown': badPlan(['id: a\nkind: agent_tsk\nagent: good\nprompt: x'], ['SW_BAD_VALUE']),
  'step-field-of-another-kind': badPlan(['id: a\nkind: gate\nmode: manual\nprompt: x'], ['SW_UNKNOWN_FIELD']),
  'step-id-twice': badPlan([gate, gate], ['SW_BAD_VALUE']),
  'step-id-with-a-hyphen': badPlan(['id: run-fix\nkind: gate\nmode: manual'], ['SW_BAD_VALUE']),
  'step-needs-nobody': badPlan([gate, 'id: b\nkind: gate\nmode: manual\nneeds: [aprove]'], ['SW_BAD_VALUE']),
  'steps-in-a-circle': badPlan(
    ['id: a\nkind: gate\nmode: manual\nneeds: [b]', 'id: b\nkind: gate\nmode: manual\nneeds: [a]'],
    ['SW_STEP_CYCLE'],
  ),
  'step-that-reads-itself': badPlan(['id: a\nkind: transform\nexpression: steps.a.output'], ['SW_STEP_CYCLE']),
  'more-steps-than-the-limit': badPlan(
    [gate, 'id: b\nkind: gate\nmode: manual'],
    ['SW_TOO_MANY_STEPS'],
    '',
    'limits: {maxSteps: 1}',
  ),
  'blueprints-that-call-each-other': {
    files: { 'a.yaml': calling('a', 'b'), 'b.yaml': calling('b', 'a') },
    codes: ['SW_DEPENDENCY_CYCLE'],
  },
  'blueprint-that-calls-itself': { files: { 'a.yaml': calling('a', 'a') }, codes: ['SW_DEPENDENCY_CYCLE'] },
  'call-of-no-blueprint': badPlan(['id: a\nkind: blueprint\nref: gone'], ['SW_REFERENCE_NOT_FOUND']),
  'call-with-wrong-inputs': {
    files: {
      'bad.yaml': calling('bad', 'other', '{hosts: [1]}'),
      'other.yaml': `${HEAD}kind: Blueprint
metadata: {name: other}
spec:
  inputs: [{name: host, schema: {type: string}, required: true}]
  plan: [{id: a, kind: transform, expression: inputs.host}]
`,
    },
    codes: ['SW_MISSING_FIELD', 'SW_UNKNOWN_NAME'],
  },
  'more-approvals-than-approvers': badPlan(
    ['id: a\nkind: gate\nmode: manual\napprovers: ["user:ada"]\nmin: 2'],
    ['SW_BAD_VALUE'],
  ),
  'expression-syntax': badPlan([`${gate}\nif: inputs.host ==`], ['SW_EXPRESSION_SYNTAX']),
  'expression-types': badPlan(['id: a\nkind: transform\nexpression: "inputs.host + 1"'], ['SW_EXPRESSION_TYPE']),
  'condition-that-is-no-bool': badPlan([`${gate}\nif: inputs.host`], ['SW_EXPRESSION_TYPE']),
  'filter-that-is-no-bool': badPlan([gate], ['SW_EXPRESSION_TYPE'], '      filter: "1 + 1"\n'),
  'filter-reads-inputs': badPlan([gate], ['SW_UNKNOWN_NAME'], '      filter: inputs.host == "x"\n'),
  'unknown-input': badPlan(
    ['id: a\nkind: agent_task\nagent: good\nprompt: "Why is {{ inputs.hosst }} down?"'],
    ['SW_UNKNOWN_NAME'],
  ),
  'unknown-step': badPlan([gate, 'id: b\nkind: transform\nexpression: steps.aprove.output'], ['SW_UNKNOWN_NAME']),
  'unknown-tool': badPlan(['id: a\nkind: action_task\naction: http.cal\nwith: {url: x}'], ['SW_UNKNOWN_NAME']),
  'template-not-closed': badPlan(
    ['id: a\nkind: agent_task\nagent: good\nprompt: "Why is {{ inputs.host down?"'],
    ['SW_TEMPLATE'],
  ),
  'template-empty': badPlan(['id: a\nkind: agent_task\nagent: good\nprompt: "Why is {{ }} down?"'], ['SW_TEMPLATE']),
  'template-in-action': badPlan(['id: a\nkind: action_task\naction: "{{ inputs.host }}"\nwith: {}'], ['SW_BAD_VALUE']),
  'template-in-a-key': badPlan(
    ['id: a\nkind: agent_task\nagent: good\nprompt: x\nwith: {"{{ inputs.host }}": 1}'],
    ['SW_TEMPLATE'],
  ),
  'output-schema-is-no-schema': badPlan(
    ['id: a\nkind: agent_task\nagent: good\nprompt: x\noutputSchema: {type: strnig}'],
    ['SW_BAD_VALUE'],
  ),
  'parameter-missing': shellPlan('with: {host: web-1}', 'SW_BAD_VALUE'),
  'parameter-unknown': shellPlan('with: {host: web-1, cmd: uptime, comand: x}', 'SW_BAD_VALUE'),
  'template-inside-quotes': shellPlan(
    `with: {host: "{{ inputs.host }}", cmd: "systemctl restart '{{ inputs.host }}'"}`,
    'SW_SHELL_TEMPLATE',
  ),
  'template-inside-double-quotes': shellPlan(
    'with:\n  host: web-1\n  cmd: echo "restart {{ inputs.host }}"',
    'SW_SHELL_TEMPLATE',
  ),
  'template-inside-backticks': shellPlan(
    'with: {host: web-1, cmd: "echo `id {{ inputs.host }}`"}',
    'SW_SHELL_TEMPLATE',
  ),
}

const v0 = (edit: (text: string) => string, ...codes: string[]): BadCase =>
  one(
    edit(`id: bp.checkmk.auto_remediate
name: "Checkmk Alert Auto-Remediation"
trigger:
  event_type: "checkmk.alert"
inputs:
  - name: host
plan:
  - kind: agent_task
    id: analyze
    agent: openai
    model: gpt-5
    prompt: "Analyze {{inputs.host}}"
  - kind: gate
    id: approve
    mode: manual
  - kind: action_task
    id: run_fix
    action: http.call
    with:
      url: "https://{{inputs.host}}/restart"
      method: POST
outputs:
  - name: summary
`),
    ...codes,
  )

/** The rules of the flat first format; each has to be told with a code of its own. */
export const BROKEN_V0: Readonly<Record<string, BadCase>> = {
  'v0-without-id': v0((text) => text.replace(/^id: .*\n/, ''), 'SW_V0_ID'),
  'v0-without-event-type': v0(
    (text) => text.replace('event_type: "checkmk.alert"', 'schedule: daily'),
    'SW_UNKNOWN_FIELD',
    'SW_V0_EVENT_TYPE',
  ),
  'v0-with-an-empty-plan': v0((text) => text.replace(/plan:\n.*outputs:/s, 'plan: []\noutputs:'), 'SW_V0_PLAN'),
  'v0-with-an-unknown-kind': v0((text) => text.replace('kind: gate', 'kind: gatee'), 'SW_V0_STEP_KIND'),
  'v0-with-a-step-id-twice': v0((text) => text.replace('id: approve', 'id: analyze'), 'SW_V0_DUPLICATE_STEP'),
  'v0-gate-without-mode': v0((text) => text.replace('    mode: manual\n', ''), 'SW_V0_GATE_MODE'),
  'v0-agent-task-without-model-and-prompt': v0(
    (text) => text.replace('    model: gpt-5\n', '').replace(/ {4}prompt: .*\n/, ''),
    'SW_V0_AGENT_TASK',
  ),
  'v0-unresolved-variable': v0(
    (text) => text.replace('{{inputs.host}}/restart', '{{inputs.hots}}/restart'),
    'SW_UNKNOWN_NAME',
  ),
}

const current = (edit: (text: string) => string, code: string): BadCase =>
  one(
    edit(`${HEAD}kind: Blueprint
metadata:
  name: broken
spec:
  triggers:
    - event: checkmk.alert
  inputs:
    - {name: host, schema: {type: string}, required: true, from: event.data.host}
  plan:
    - id: analyze
      kind: agent_task
      agent: good
      prompt: "Analyze {{ inputs.host }}"
    - id: approve
      kind: gate
      mode: manual
`),
    code,
  )

/** The same mistakes in the current format; each has to be told in words of its own. */
export const BROKEN_CURRENT: Readonly<Record<string, BadCase>> = {
  'blueprint-without-name': current((text) => text.replace('  name: broken\n', '  labels: {}\n'), 'SW_MISSING_FIELD'),
  'blueprint-without-event': current((text) => text.replace('event: checkmk.alert', '{}'), 'SW_MISSING_FIELD'),
  'blueprint-with-an-empty-plan': current((text) => text.replace(/plan:\n.*/s, 'plan: []\n'), 'SW_BAD_VALUE'),
  'blueprint-with-an-unknown-kind': current((text) => text.replace('kind: gate', 'kind: gatee'), 'SW_BAD_VALUE'),
  'blueprint-with-a-step-id-twice': current((text) => text.replace('id: approve', 'id: analyze'), 'SW_BAD_VALUE'),
  'blueprint-gate-without-mode': current((text) => text.replace('      mode: manual\n', ''), 'SW_MISSING_FIELD'),
  'blueprint-agent-task-without-prompt': current((text) => text.replace(/ {6}prompt: .*\n/, ''), 'SW_MISSING_FIELD'),
  'blueprint-unresolved-variable': current(
    (text) => text.replace('{{ inputs.host }}', '{{ inputs.hots }}'),
    'SW_UNKNOWN_NAME',
  ),
}

const MORE_V0: Readonly<Record<string, BadCase>> = {
  'v0-action-task-without-with': v0((text) => text.replace(/ {4}with:\n.*\n.*\n/, ''), 'SW_V0_ACTION_TASK'),
  'v0-step-without-id': v0((text) => text.replace('    id: approve\n', ''), 'SW_V0_STEP_ID'),
  'v0-id-that-is-no-name': v0((text) => text.replace('bp.checkmk.auto_remediate', '"check mk!"'), 'SW_V0_ID'),
  'v0-unresolved-step': v0(
    (text) => text.replace('Analyze {{inputs.host}}', 'Analyze {{steps.run_fixx.output}}'),
    'SW_UNKNOWN_NAME',
  ),
  'v0-broken-yaml': v0((text) => text.replace('mode: manual', 'mode: [manual'), 'SW_YAML_SYNTAX'),
}

export const BAD_MANIFESTS: Readonly<Record<string, BadCase>> = {
  ...YAML,
  ...FILES,
  ...DOCUMENTS,
  ...FIELDS,
  ...REFERENCES,
  ...PLANS,
  ...BROKEN_V0,
  ...BROKEN_CURRENT,
  ...MORE_V0,
}
