import type { ReactNode } from 'react'
import { useAddress, useRead } from '../../api/use-read.ts'
import { CommandSet } from '../../components/command-set.tsx'
import { Commit } from '../../components/commit.tsx'
import { Diff } from '../../components/diff.tsx'
import { Columns } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Together } from '../../components/together.tsx'
import type { PageProps } from '../../page-props.ts'
import { commandLine, inNamespace } from '../../text/shell.ts'
import { Decisions } from './decisions.tsx'
import styles from './policies.module.css'
import { matchText, type PolicyObject, type PolicyRule, policyAddress, requirementsText } from './policy-object.ts'

const versionsOf = (namespace: string, name: string) => ({ query: { namespace, name, limit: 10 } })

/** One policy: its rules in the order in which they are read, its versions, and what it decided. */
export function Page({ params }: PageProps): ReactNode {
  const { namespace = 'default', name = '' } = params
  const policy = useAddress<PolicyObject>(policyAddress(namespace, name))
  const versions = useRead('/api/v1/policies/versions', versionsOf(namespace, name))
  const where = inNamespace(namespace)
  return (
    <PageFrame
      title={name}
      tab={`Policy ${name}`}
      crumbs={<Link href="/policies">Policies</Link>}
      lead={policy.data?.status?.conditions?.find(({ type }) => type === 'Ready')?.message}
      aside={
        policy.data === undefined ? null : (
          <Status value={policy.data.spec.enforcement === 'evaluate_only' ? 'only records' : 'enforced'} />
        )
      }
    >
      <Together of={[policy, versions]}>
        <Columns>
          <Card title="Rules" flush testId="policy-rules">
            <Loaded of={policy} lines={8}>
              {({ spec }) => <Rules rules={spec.rules ?? []} mode={spec.evaluationMode ?? 'first_match'} />}
            </Loaded>
          </Card>
          <Versions namespace={namespace} name={name} />
        </Columns>
        <CommandSet
          title="Change and try it, in a terminal"
          testId="policy-commands"
          commands={[
            { label: 'Ask it what it would decide', command: 'stateward policy test policies' },
            {
              label: 'Try an edit on what was decided before',
              command: 'stateward policy backtest policies --since 7d',
            },
            {
              label: 'See what stands behind it',
              command: commandLine('stateward', 'why', `policy/${name}`, ...where),
            },
            {
              label: 'See it with kubectl',
              command: commandLine('kubectl', 'get', 'policy', name, ...where, '-o', 'yaml'),
            },
          ]}
        />
        <Decisions policy={`${namespace}/${name}`} />
      </Together>
    </PageFrame>
  )
}

function Rules({ rules, mode }: { readonly rules: readonly PolicyRule[]; readonly mode: string }): ReactNode {
  if (rules.length === 0) return <Empty title="It has no rules">So it decides nothing.</Empty>
  const inOrder = mode === 'first_match' ? [...rules].sort((a, b) => (a.priority ?? 100) - (b.priority ?? 100)) : rules
  return (
    <ol className={styles['rules']}>
      {inOrder.map((rule) => (
        <li key={rule.id} className={styles['rule']}>
          <div className={styles['ruleHead']}>
            <strong>{rule.id}</strong>
            <Status value={rule.effect} look="plain" />
            {rule.priority === undefined ? null : <span className="faint">priority {rule.priority}</span>}
            {rule.autoMerge === true ? <Status value="lands by itself" tone="idle" look="plain" /> : null}
          </div>
          <p className={styles['match']}>{matchText(rule.match)}</p>
          {requirementsText(rule.requirements) === null ? null : (
            <p className="faint">asks for {requirementsText(rule.requirements)}</p>
          )}
        </li>
      ))}
    </ol>
  )
}

function Versions({ namespace, name }: { readonly namespace: string; readonly name: string }): ReactNode {
  const versions = useRead('/api/v1/policies/versions', versionsOf(namespace, name))
  return (
    <Card title="Versions" flush testId="policy-versions">
      <Loaded of={versions} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="None was in force yet">A version is made when a commit with it is applied.</Empty>
          ) : (
            <ol className={styles['rules']}>
              {items.map((version, at) => (
                <li key={version.version} className={styles['rule']}>
                  <div className={styles['ruleHead']}>
                    <strong>Version {version.version}</strong>
                    {at === 0 ? <Status value="in force" tone="good" look="plain" /> : null}
                    <span className="faint">
                      <Time at={version.activated_at} />
                    </span>
                  </div>
                  <p className="faint">
                    <Commit id={version.revision} /> by {version.activated_by}
                  </p>
                  {items[at + 1] === undefined ? null : (
                    <details>
                      <summary data-testid={`policy-version-${version.version}`}>What it changed</summary>
                      <Diff
                        before={JSON.stringify(items[at + 1]?.spec, null, 2)}
                        after={JSON.stringify(version.spec, null, 2)}
                        label={`From version ${items[at + 1]?.version} to ${version.version}`}
                      />
                    </details>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Card>
  )
}
