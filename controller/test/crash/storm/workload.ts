import type { Random } from './random.ts'

/** What runs during a storm: the state repo, and the runs that are asked for. */

/** One run that is asked for; `tag` finds it again. */
export interface Order {
  readonly tag: string
  readonly blueprint: string
  /** By an event that triggers it, or by hand. */
  readonly by: 'event' | 'hand'
  readonly inputs: Readonly<Record<string, string | number>>
  /** What its output `result` has to be when it completes; null = whatever. */
  readonly result: number | null
}

/** A tool without effects: the observer never sees its calls. */
export const LOOK = 'ledger.look'

const API = 'apiVersion: stateward.dev/v1alpha1'

/** Blueprints by name: their plan, and what the output `result` is. */
const PLANS: Readonly<Record<string, { readonly plan: string; readonly result: string }>> = {
  // No effect outside: only the journal is at stake.
  count: {
    plan: `
    - { id: one, kind: transform, expression: "inputs.n + 1" }
    - { id: two, kind: transform, expression: "steps.one.output * 2" }
    - { id: three, kind: transform, expression: "steps.two.output - 1" }`,
    result: 'steps.three.output',
  },
  // Effects of a program that must not be repeated, before and after a call that changes nothing and a recorded step.
  append: {
    plan: `
    - { id: first, kind: action_task, action: ledger.append, with: { before: "{{ inputs.before }}", after: "{{ inputs.after }}" } }
    - { id: look, kind: action_task, action: ledger.look, with: { after: "{{ inputs.after }}" } }
    - { id: between, kind: transform, expression: "inputs.n * 2" }
    - { id: second, kind: action_task, action: ledger.append, with: { before: 0, after: "{{ inputs.after }}" } }
    - { id: end, kind: transform, expression: "steps.between.output" }`,
    result: 'steps.end.output',
  },
  // A request that must not be repeated, and one that may.
  post: {
    plan: `
    - id: once
      kind: action_task
      action: http.call
      with: { method: POST, url: "OBSERVER/once?before={{ inputs.before }}&after={{ inputs.after }}", body: { run: "{{ run.id }}", step: once } }
    - id: again
      kind: action_task
      action: http.call
      with: { method: PUT, url: "OBSERVER/again?before={{ inputs.before }}&after={{ inputs.after }}", body: { run: "{{ run.id }}", step: again } }
    - { id: end, kind: transform, expression: "inputs.n" }`,
    result: 'steps.end.output',
  },
  // Several effects of one run at once.
  parallel: {
    plan: `
    - { id: a, kind: action_task, needs: [], action: ledger.append, with: { before: "{{ inputs.before }}", after: "{{ inputs.after }}" } }
    - id: b
      kind: action_task
      needs: []
      action: http.call
      with: { method: POST, url: "OBSERVER/once?before={{ inputs.after }}&after={{ inputs.before }}", body: { run: "{{ run.id }}", step: b } }
    - { id: c, kind: action_task, needs: [], action: ledger.note, with: { after: "{{ inputs.after }}" } }
    - { id: end, kind: transform, needs: [a, b, c], expression: "inputs.n" }`,
    result: 'steps.end.output',
  },
  // Tasks of a command and of a daemon.
  tasks: {
    plan: `
    - { id: clerk, kind: agent_task, agent: clerk, prompt: "Count {{ inputs.n }}" }
    - { id: triage, kind: agent_task, agent: sre, prompt: "How bad is it?", with: { host: "{{ inputs.tag }}", service: web, state: CRIT, message: "" } }
    - { id: act, kind: action_task, action: ledger.append, with: { before: 0, after: "{{ inputs.after }}" } }
    - { id: end, kind: transform, expression: "steps.clerk.output.n" }`,
    result: 'steps.end.output',
  },
  // A person in between.
  gated: {
    plan: `
    - { id: before, kind: action_task, action: ledger.append, with: { before: 0, after: "{{ inputs.after }}" } }
    - { id: decide, kind: gate, mode: manual }
    - { id: after, kind: action_task, action: ledger.append, with: { before: "{{ inputs.before }}", after: 0 } }
    - { id: end, kind: transform, expression: "inputs.n" }`,
    result: 'steps.end.output',
  },
  // Attempts that fail before one that does not.
  retried: {
    plan: `
    - id: flaky
      kind: action_task
      action: http.call
      retry: { maxAttempts: 5, backoff: 50ms }
      with: { method: POST, url: "OBSERVER/flaky?refuse=2&after={{ inputs.after }}", body: { run: "{{ run.id }}", step: flaky } }
    - { id: end, kind: transform, expression: "inputs.n" }`,
    result: 'steps.end.output',
  },
  // Iterations, two at once.
  looped: {
    plan: `
    - id: each
      kind: foreach
      items: "[1, 2, 3, 4, 5]"
      as: i
      concurrency: 2
      plan:
        - { id: note, kind: action_task, action: ledger.note, with: { after: "{{ inputs.after }}" } }
        - { id: append, kind: action_task, action: ledger.append, with: { before: "{{ inputs.before }}", after: 0 } }
        - { id: sum, kind: transform, expression: "inputs.n + i" }
    - { id: end, kind: transform, expression: "steps.each.output[4] - 5" }`,
    result: 'steps.end.output',
  },
  // Time, and an event that a person sends.
  waiting: {
    plan: `
    - { id: pause, kind: wait, duration: 300ms }
    - { id: before, kind: action_task, action: ledger.append, with: { before: 0, after: "{{ inputs.after }}" } }
    - { id: signal, kind: wait, event: storm.go, filter: "event.data.tag == inputs.tag", timeout: 30m }
    - { id: end, kind: transform, expression: "inputs.n" }`,
    result: 'steps.end.output',
  },
  // Another plan inside of this one.
  calling: {
    plan: `
    - { id: call, kind: blueprint, ref: append, inputs: { tag: "{{ inputs.tag }}-called", n: "{{ inputs.n }}", before: 0, after: "{{ inputs.after }}" } }
    - { id: end, kind: transform, expression: "steps.call.output.result" }`,
    result: 'steps.end.output',
  },
}

const BLUEPRINTS = Object.keys(PLANS)

/** As {@link PLANS} computes it. */
function resultOf(blueprint: string, n: number): number {
  if (blueprint === 'count') return (n + 1) * 2 - 1
  return blueprint === 'append' || blueprint === 'calling' ? n * 2 : n
}

export function ordersOf(random: Random, count: number): Order[] {
  return Array.from({ length: count }, (_, index) => {
    const n = random.between(0, 1000)
    const blueprint = random.pick(BLUEPRINTS)
    return {
      tag: `storm-${index}`,
      blueprint,
      by: random.chance(0.5) ? 'event' : 'hand',
      inputs: { n, before: random.between(0, 150), after: random.between(0, 300) },
      result: resultOf(blueprint, n),
    }
  })
}

/** Files of the state repo besides the starter's. */
export function stateFilesOf(observer: { readonly url: string; readonly file: string }): Record<string, string> {
  const files: Record<string, string> = {
    'tools/ledger-append.yaml': tool('ledger.append', false, 'once', observer.file),
    'tools/ledger-note.yaml': tool('ledger.note', true, 'again', observer.file),
    'tools/ledger-look.yaml': tool(LOOK, true, null, observer.file),
    'agents/clerk.yaml': clerk(observer.file),
  }
  for (const [name, { plan, result }] of Object.entries(PLANS)) {
    files[`blueprints/${name}.yaml`] = blueprint(name, plan.replaceAll('OBSERVER', observer.url), result)
  }
  return files
}

function blueprint(name: string, plan: string, result: string): string {
  return `${API}
kind: Blueprint
metadata: { name: ${name} }
spec:
  triggers: [{ event: storm.${name} }]
  inputs:
    - { name: tag, schema: { type: string }, required: true, from: event.data.tag }
    - { name: n, schema: { type: integer }, required: true, from: event.data.n }
    - { name: before, schema: { type: integer }, default: 0, from: event.data.before }
    - { name: after, schema: { type: integer }, default: 0, from: event.data.after }
  plan:${plan}
  outputs: [{ name: result, value: "{{ ${result} }}" }]
`
}

/** A program that appends one line, some time after it starts and some time before it ends; none if `kind` is null. */
function tool(name: string, idempotent: boolean, kind: string | null, file: string): string {
  const append = `printf '{"kind":"${kind}","operation":"%s"}\\n' "$STATEWARD_OPERATION_ID" >> "$OBSERVED"`
  const script = `read -r line; ms() { printf '%s' "$line" | sed -n "s/.*\\"$1\\":\\([0-9]*\\).*/\\1/p"; }
          nap() { sleep "$(printf '0.%03d' "$(ms "$1" | grep . || echo 0)")"; }
          nap before
          ${kind === null ? ':' : append}
          nap after
          echo '{"appended":true}'`
  return `${API}
kind: Tool
metadata: { name: ${name} }
spec:
  trusted: true
  idempotent: ${idempotent}
  sideEffects: ${kind === null ? 'none' : 'irreversible'}
  inputSchema: { type: object, properties: { before: { type: integer }, after: { type: integer } } }
  executor:
    command:
      env: [{ name: OBSERVED, value: ${JSON.stringify(file)} }]
      command:
        - sh
        - -c
        - |
          ${script}
`
}

/** A command for each task: it answers with the number it was asked for. */
function clerk(file: string): string {
  return `${API}
kind: Agent
metadata: { name: clerk }
spec:
  runtime:
    process:
      mode: perTask
      env: [{ name: OBSERVED, value: ${JSON.stringify(file)} }]
      command:
        - sh
        - -c
        - |
          read -r line
          n=$(printf '%s' "$line" | sed -n 's/.*"n":\\([0-9]*\\).*/\\1/p')
          sleep 0.1
          printf '{"kind":"task","operation":null}\\n' >> "$OBSERVED"
          echo "{\\"n\\":$n}"
  replicas: 3
`
}
