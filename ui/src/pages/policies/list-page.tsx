import { ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { useAddress } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Link } from '../../components/link.tsx'
import { PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { Together } from '../../components/together.tsx'
import { Decisions } from './decisions.tsx'
import styles from './policies.module.css'
import { POLICIES_ADDRESS, type PolicyObject } from './policy-object.ts'

/** Every policy, and what all of them decided. */
export function Page(): ReactNode {
  const policies = useAddress<{ readonly items: readonly PolicyObject[] }>(POLICIES_ADDRESS)
  return (
    <PageFrame
      title="Policies"
      lead="Who may do what, and what needs whose approval. Between policies the strictest wins; what none is about is allowed."
    >
      <Loaded of={policies} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No policy is declared" icon={ShieldCheck}>
              <Command
                label="Check a policy before it is merged"
                command="stateward policy test policies"
                testId="policies-test"
              />
            </Empty>
          ) : (
            <ul className={styles['tiles']} data-testid="policies">
              {items.map((policy) => (
                <PolicyTile key={`${policy.metadata.namespace}/${policy.metadata.name}`} policy={policy} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Together of={[policies]} lines={4}>
        <Decisions />
      </Together>
    </PageFrame>
  )
}

function PolicyTile({ policy }: { readonly policy: PolicyObject }): ReactNode {
  const { name, namespace = 'default' } = policy.metadata
  const { rules = [], enforcement = 'enforce', evaluationMode = 'first_match' } = policy.spec
  const count = (effect: string): number => rules.filter((rule) => rule.effect === effect).length
  const parts = [
    [count('deny'), 'deny'],
    [count('require_approval'), 'ask'],
    [count('allow'), 'allow'],
  ] as const
  return (
    <li className={styles['tile']}>
      <div className={styles['tileHead']}>
        <Link href={`/policies/${namespace}/${name}`} className={styles['tileName']} data-testid={`policy-${name}`}>
          {namespace === 'default' ? '' : `${namespace}/`}
          {name}
        </Link>
        <Status
          value={enforcement === 'enforce' ? 'enforced' : 'only records'}
          tone={enforcement === 'enforce' ? 'good' : 'idle'}
          look="plain"
        />
      </div>
      <p className="faint">
        {rules.length} {rules.length === 1 ? 'rule' : 'rules'}:{' '}
        {parts
          .filter(([number]) => number > 0)
          .map(([number, word]) => `${number} ${word}`)
          .join(', ') || 'none'}
      </p>
      <p className="faint">
        {evaluationMode.replaceAll('_', ' ')}, version {policy.status?.version ?? '–'}
      </p>
    </li>
  )
}
