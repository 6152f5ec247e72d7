import { dialect } from '../controller/src/expressions/environment.ts'
import { decisionRow } from '../controller/src/policy/decision-row.ts'
import { type CompiledPolicy, compilePolicy, type PolicyVersion } from '../controller/src/policy/evaluate/compile.ts'
import { evaluate } from '../controller/src/policy/evaluate/evaluate.ts'
import type { PolicyRequest } from '../controller/src/policy/evaluate/request.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { type Row, tableText, writeRows } from './support/report.ts'
import { spreadOf } from './support/statistics.ts'

const USAGE = `How many questions policies of 100 rules answer a second, in memory.

Usage: npm run bench:policy [-- options]

  --quick            a tenth of the evaluations
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured; the median counts (default 3)
  -h, --help         this text

Rows: one CEL expression (the bare library, compiled once: the unit of the last column), policies of 100 rules that differ by
action or all have an expression, in the three modes, and the same with the record of the decision made. Aim: 50,000 a second.
`

const RULES = 100
const EXPRESSION = "resource.labels.tier == 'gold' && env.stage == 'prod'"

const request: PolicyRequest = {
  point: 'tool_call',
  action: `infra.apply${RULES - 1}`,
  subject: { principal: 'user:ada', roles: ['operator', 'viewer'], teams: ['platform'], lineage: [] },
  resource: { type: 'tool', namespace: 'default', name: 'infra.apply', labels: { tier: 'gold', team: 'platform' } },
  env: { id: 'prod-eu', stage: 'prod', class: 'product' },
  risk: 'high',
  data: { with: { target: 'web-1' }, run: 'deploy-k3q9zt', step: 'apply' },
  at: new Date('2026-11-20T10:30:00Z'),
}

type Rule = NonNullable<PolicyVersion['spec']['rules']>[number]

function policy(
  mode: 'first_match' | 'deny_overrides' | 'collect_requirements',
  rule: (i: number) => Rule,
): CompiledPolicy {
  const rules = Array.from({ length: RULES }, (_, i) => rule(i))
  return compilePolicy({ namespace: 'default', name: 'p', version: 1, spec: { evaluationMode: mode, rules } })
}

/** Each about an action of its own, with everything else a rule can ask. */
const byAction = (i: number): Rule => ({
  id: `r${i}`,
  effect: 'require_approval',
  match: {
    action: `infra.apply${i}`,
    stage: 'prod',
    risk: 'high',
    subjects: ['role:operator'],
    expression: EXPRESSION,
  },
  requirements: { approvals: { min: 1, fromAnyOf: ['role:OwnerAdmin'] } },
})
/** All about the action, told apart by their expressions alone: every one has to be evaluated, and the last one fits. */
const byExpression = (i: number): Rule => ({
  id: `r${i}`,
  effect: 'allow',
  match: { action: 'infra.*', expression: i === RULES - 1 ? EXPRESSION : `resource.labels.tier == 'tier${i}'` },
})
/** All fit. */
const fitting = (i: number): Rule => ({ ...byExpression(i), match: { action: 'infra.*', expression: EXPRESSION } })

const bare = dialect.clone()
for (const name of ['resource', 'env']) bare.registerVariable(name, 'dyn')
const expression = bare.parse(EXPRESSION)
const asking = (compiled: CompiledPolicy) => {
  const policies = [compiled]
  return () => evaluate(policies, request)
}
const recorded = policy('first_match', byAction)

const CASES: readonly (readonly [name: string, once: () => unknown, count: number])[] = [
  ['one CEL expression', () => expression(request), 2_000_000],
  ['100 rules, one about the action', asking(recorded), 400_000],
  [
    'the same, with its record',
    () => decisionRow(request, evaluate([recorded], request), { correlationId: 'c' }),
    50_000,
  ],
  ['100 expressions, first_match', asking(policy('first_match', byExpression)), 50_000],
  ['100 expressions, deny_overrides', asking(policy('deny_overrides', byExpression)), 50_000],
  ['100 rules that fit, deny_overrides', asking(policy('deny_overrides', fitting)), 20_000],
  ['100 rules that fit, collect_requirements', asking(policy('collect_requirements', fitting)), 20_000],
]

const options = benchOptions(USAGE)
const perSecond = new Map<string, number[]>()
for (let repetition = 0; repetition < options.repetitions; repetition++) {
  for (const [name, once, count] of CASES) {
    const times = options.quick ? count / 10 : count
    for (let i = 0; i < times / 10; i++) once()
    const since = performance.now()
    for (let i = 0; i < times; i++) once()
    const rate = (times * 1000) / (performance.now() - since)
    perSecond.set(name, [...(perSecond.get(name) ?? []), rate])
  }
}
const median = (name: string): number => spreadOf(perSecond.get(name)!).median
const unit = median(CASES[0]![0])
const rows: Row[] = CASES.map(([name]) => ({
  name,
  evaluations_per_second: Math.round(median(name)),
  expressions: Number((unit / median(name)).toFixed(1)),
}))
const lines = rows.map((row) => [
  row.name,
  Number(row['evaluations_per_second']).toLocaleString('en'),
  String(row['expressions']),
])
process.stdout.write(`\n${tableText(['', 'a second', 'in bare expressions'], lines)}\n`)
const machine = machineOf('none')
process.stdout.write(`${machineLine(machine)}\n`)
if (options.json !== null) await writeRows(options.json, machine, rows)
