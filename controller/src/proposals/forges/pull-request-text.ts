import type { ChangeSet } from '../../plan/change-set.ts'
import type { PlannedEffects } from '../../plan/effects/effects-of.ts'
import { renderMarkdown } from '../../plan/render/markdown.ts'
import type { ProposalRow } from '../../store/queries/proposals.ts'
import type { ForgeCheck } from './ports.ts'

type Shown = Pick<
  ProposalRow,
  | 'proposal_id'
  | 'title'
  | 'description'
  | 'author'
  | 'run_id'
  | 'correlation_id'
  | 'checks'
  | 'check_error'
  | 'plan'
  | 'risk'
>

const SIGN = { passed: '✅', failed: '❌', waiting: '⏳' } as const

/** What a pull request says when it is opened. Pure. */
export function descriptionOf(row: Shown): string {
  const facts = [
    `Proposal \`${row.proposal_id}\` by \`${row.author}\``,
    ...(row.run_id === null ? [] : [`from run \`${row.run_id}\``]),
  ]
  return [row.description, '', `${facts.join(' ')}.`, ''].join('\n').trimStart()
}

/** The comment with checks and plan. Pure. */
export function commentOf(row: Shown): string {
  const checks = row.checks.flatMap(({ name, state, summary, problems }) => [
    `| ${SIGN[state]} | ${name} | ${cell(summary)} |`,
    ...problems.map(({ file, line, message, hint }) => {
      const place = file === null ? '' : `\`${cell(file)}${line === null ? '' : `:${line}`}\` `
      return `| | | ${place}${cell(message)}: ${cell(hint)} |`
    }),
  ])
  const plan = row.plan as unknown as (ChangeSet & PlannedEffects & { readonly observed: string | null }) | null
  return [
    ...(row.check_error === null ? [] : [`**It could not be checked:** ${cell(row.check_error)}`, '']),
    ...(checks.length === 0 ? [] : ['| | check | |', '|---|---|---|', ...checks, '']),
    ...(plan === null ? [] : [renderMarkdown(plan, plan.observed)]),
    `Proposal \`${row.proposal_id}\`: \`stateward proposals show ${row.proposal_id}\``,
  ].join('\n')
}

/** The check of its commit. Pure. */
export function checkOf(row: Shown): ForgeCheck {
  const failed = row.checks.filter(({ state }) => state === 'failed')
  const waiting = row.checks.filter(({ state }) => state === 'waiting')
  const summary = commentOf(row)
  if (row.check_error !== null) return { state: 'failed', title: 'It could not be checked', summary }
  if (failed.length > 0)
    return { state: 'failed', title: failed.map((check) => `${check.name}: ${check.summary}`).join('; '), summary }
  if (waiting.length > 0) return { state: 'waiting', title: waiting.map((check) => check.summary).join('; '), summary }
  return { state: 'passed', title: `All checks passed, risk ${row.risk ?? 'low'}`, summary }
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
