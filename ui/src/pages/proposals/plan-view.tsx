import { CircleDashed, type LucideIcon, Minus, OctagonAlert, Pencil, Plus, SkipForward } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from '../../components/link.tsx'
import { Status } from '../../components/status.tsx'
import { classNames } from '../../text/class-names.ts'
import {
  objectText,
  PLAN_ACTIONS,
  type PlanAction,
  type PlanChange,
  type PlanDocument,
  type PlanEffect,
  valueText,
} from './plan-document.ts'
import styles from './plan-view.module.css'
import { riskTone } from './standing.ts'

const ICONS: Readonly<Record<PlanAction, LucideIcon>> = {
  create: Plus,
  update: Pencil,
  delete: Minus,
  blocked: OctagonAlert,
  skip: SkipForward,
  unchanged: CircleDashed,
}

/** What a change would do: first in the world, then object by object and field by field. */
export function PlanView({ plan }: { readonly plan: PlanDocument }): ReactNode {
  const { changes, effects = [], issues, outlook } = plan
  const expected = outlook === undefined ? [] : [...outlook.runs, ...outlook.spend]
  return (
    <div className={styles['plan']} data-testid="plan">
      <Counts plan={plan} />
      {effects.length === 0 ? null : (
        <section aria-labelledby="plan-effects">
          <h3 id="plan-effects" className={styles['heading']}>
            What it does
          </h3>
          <ul className={styles['effects']}>
            {byRisk(effects).map((effect) => (
              <li key={`${objectText(effect)} ${effect.effect} ${effect.message}`} className={styles['effect']}>
                <Status value={effect.risk} tone={riskTone(effect.risk)} look="plain" />
                <span>
                  <strong>{objectText(effect)}</strong> {effect.message}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {outlook === undefined || (expected.length === 0 && outlook.unknown === null) ? null : (
        <section aria-labelledby="plan-outlook">
          <h3 id="plan-outlook" className={styles['heading']}>
            What comes of it, as last observed
          </h3>
          <ul className={styles['effects']}>
            {outlook.unknown === null ? null : <li className={styles['effect']}>{outlook.unknown}</li>}
            {expected.map((each) => (
              <li key={`${objectText(each)} ${each.message}`}>
                <strong>{objectText(each)}</strong> {each.message}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="plan-changes">
        <h3 id="plan-changes" className={styles['heading']}>
          Object by object
        </h3>
        {changes.length === 0 ? <p className="faint">It changes no object.</p> : null}
        <ul className={styles['changes']}>
          {changes.map((change) => (
            <ChangeItem key={`${objectText(change)} ${change.action}`} change={change} />
          ))}
        </ul>
      </section>
      {issues.length === 0 ? null : (
        <section aria-labelledby="plan-issues">
          <h3 id="plan-issues" className={styles['heading']}>
            Problems
          </h3>
          <ul className={styles['effects']}>
            {issues.map((issue) => (
              <li key={`${issue.code} ${issue.file} ${issue.line} ${issue.message}`} className={styles['effect']}>
                <Status value={issue.severity} look="plain" />
                <span>
                  {issue.file === undefined ? null : (
                    <code>{[issue.file, issue.line, issue.column].filter((part) => part !== undefined).join(':')}</code>
                  )}{' '}
                  {issue.message} <span className="faint">{issue.hint}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

function Counts({ plan }: { readonly plan: PlanDocument }): ReactNode {
  return (
    <p className={styles['counts']}>
      {PLAN_ACTIONS.filter((action) => (plan.counts[action] ?? 0) > 0).map((action) => (
        <span key={action} className={classNames(styles['count'], styles[action])}>
          <strong className="numeric">{plan.counts[action]}</strong> {action}
        </span>
      ))}
      {plan.reach === undefined ? null : (
        <span className="faint">
          reaches {plan.reach.changed} of {plan.reach.objects} objects
          {plan.reach.agents.length === 0
            ? ''
            : `; moves ${plan.reach.agents.length === 1 ? '1 agent' : `${plan.reach.agents.length} agents`}`}
        </span>
      )}
    </p>
  )
}

function ChangeItem({ change }: { readonly change: PlanChange }): ReactNode {
  const {
    action,
    kind,
    namespace,
    name,
    fields,
    file,
    reason,
    message,
    approval,
    verdict,
    held,
    advisory = [],
  } = change
  const Icon = ICONS[action]
  const agreed = approval?.approvers ?? []
  return (
    <li className={styles['change']}>
      <div className={styles['changeHead']}>
        <span className={classNames(styles['action'], styles[action])}>
          <Icon size={14} aria-hidden />
          {held === undefined ? action : `${held}, held`}
        </span>
        <Link href={`/resources/${kind}/${namespace === '' ? '-' : namespace}/${name}`} className={styles['object']}>
          {objectText(change)}
        </Link>
        {file === undefined ? null : <code className="faint">{file}</code>}
      </div>
      {reason === undefined && message === undefined ? null : (
        <p className={styles['why']}>{[reason, message].filter((part) => part !== undefined).join(': ')}</p>
      )}
      {approval === undefined || approval.asks.length === 0 ? null : (
        <p className={styles['why']}>
          Asks{' '}
          {approval.asks.map(({ min, fromAnyOf, by }) => `${min} of ${fromAnyOf.join(', ')} (${by})`).join(' and ')}.{' '}
          {agreed.length === 0 ? 'Nobody has agreed yet.' : `Agreed: ${agreed.join(', ')}.`}
          {approval.rejectedBy === null ? '' : ` Rejected by ${approval.rejectedBy}.`}
        </p>
      )}
      {verdict === undefined ? null : (
        <p className={styles['why']}>
          Policies: <Status value={verdict.effect} look="plain" /> {verdict.by}
        </p>
      )}
      {advisory.map((line) => (
        <p key={line} className={styles['why']}>
          {line}
        </p>
      ))}
      {fields.length === 0 ? null : (
        <dl className={styles['fields']}>
          {fields.map(({ pointer, from, to }) => (
            <div key={pointer} className={styles['field']}>
              <dt>
                <code>{pointer}</code>
              </dt>
              {from === undefined ? null : (
                <dd className={styles['from']}>
                  <span aria-hidden>−</span> <span className="visually-hidden">before: </span>
                  {valueText(from)}
                </dd>
              )}
              {to === undefined ? null : (
                <dd className={styles['to']}>
                  <span aria-hidden>+</span> <span className="visually-hidden">after: </span>
                  {valueText(to)}
                </dd>
              )}
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}

const RISKS = ['high', 'medium', 'low']

function byRisk(effects: readonly PlanEffect[]): readonly PlanEffect[] {
  return [...effects].sort((a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk))
}
