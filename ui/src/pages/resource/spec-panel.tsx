import type { ReactNode } from 'react'
import type { ObjectDetail } from '../../api/reads.ts'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { Diff } from '../../components/diff.tsx'
import { Stack } from '../../components/layout.tsx'
import { Card } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'
import { TextBlock } from '../../components/text-block.tsx'
import { Time } from '../../components/time.tsx'
import styles from './resource.module.css'
import { yamlText } from './yaml-text.ts'

/**
 * What is written beside what is acted on: a template, the environment, defaults and what was set live all come between; then
 * what is live and not as Git says, and what waits at the head.
 */
export function SpecPanel({ object }: { readonly object: ObjectDetail }): ReactNode {
  const written = yamlText(object.spec)
  const effective = object.effective === null ? null : yamlText(object.effective)
  return (
    <>
      <Drifted object={object} />
      <Held object={object} />
      <Overrides object={object} />
      <Card title="From what is written to what is acted on">
        {effective === null ? (
          <Empty title="It is not declared here">What agents or programs made themselves has no spec in Git.</Empty>
        ) : (
          <>
            <p className={styles['hint']}>
              Added lines come from its template, its environment, what was set live, or defaults.
            </p>
            <Diff before={written} after={effective} label="Written against acted on" context={200} />
          </>
        )}
      </Card>
      <Card title="As written">
        <TextBlock text={written} label="Spec as written" wrap={false} testId="object-spec" />
      </Card>
    </>
  )
}

function Drifted({ object }: { readonly object: ObjectDetail }): ReactNode {
  const drift = useRead('/api/v1/drift', {
    query: {
      kind: object.kind,
      name: object.name,
      namespace: object.namespace === '' ? null : object.namespace,
      limit: 100,
    },
  })
  const items = drift.data?.items ?? []
  if (items.length === 0) return null
  return (
    <Card title="Live, and not as Git says">
      <Stack>
        {items.map((each) => (
          <article key={each.id} className={styles['drift']} data-testid="drift">
            <p>
              <code>{each.field}</code>{' '}
              <span className={styles['quiet']}>
                seen by {each.source} <Time at={each.since} />
              </span>
            </p>
            {each.detail === '' ? null : <p className={styles['message']}>{each.detail}</p>}
            <Diff before={textOf(each.declared)} after={textOf(each.live)} label={`Git against live: ${each.field}`} />
            <div className={styles['commands']}>
              <Command label="Put back what Git says" command={`stateward drift enforce ${each.id}`} />
              <Command label="Propose what is live" command={`stateward drift adopt ${each.id}`} />
            </div>
          </article>
        ))}
      </Stack>
    </Card>
  )
}

function Held({ object }: { readonly object: ObjectDetail }): ReactNode {
  const changes = useRead('/api/v1/changes')
  const held = changes.data?.items.find(
    ({ kind, namespace, name }) => kind === object.kind && namespace === object.namespace && name === object.name,
  )
  if (held === undefined) return null
  return (
    <Card title="A newer change waits">
      <Stack>
        <p>{held.message}</p>
        <p className={styles['quiet']}>
          {held.action}: {held.fields.join(', ')}
        </p>
        <Command
          label="Agree to it"
          command={`stateward approve ${object.kind.toLowerCase()}/${object.name}${object.namespace === '' || object.namespace === 'default' ? '' : ` -n ${object.namespace}`}`}
          testId="held-approve"
        />
      </Stack>
    </Card>
  )
}

function Overrides({ object }: { readonly object: ObjectDetail }): ReactNode {
  if (object.overrides.length === 0) return null
  return (
    <Card title="Set live, ahead of Git">
      <ul className={styles['fields']}>
        {object.overrides.map((each) => (
          <li key={each.path}>
            <code>{each.path}</code>
            <del>{textOf(each.base).trim()}</del>
            <ins>{textOf(each.value).trim()}</ins>
            <span className={styles['quiet']}>
              by {each.actor}, <Time at={each.created_at} />
              {each.reason === null ? '' : `: ${each.reason}`}
              {each.expires_at === null ? null : (
                <>
                  ; ends <Time at={each.expires_at} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

const textOf = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? yamlText(value) : `${String(value)}\n`
