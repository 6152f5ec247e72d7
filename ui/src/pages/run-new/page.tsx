import { Play } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { useRead } from '../../api/use-read.ts'
import { Command } from '../../components/command.tsx'
import { ChoiceField, useFilters } from '../../components/filters.tsx'
import { Columns } from '../../components/layout.tsx'
import { Link } from '../../components/link.tsx'
import { Card, PageFrame } from '../../components/page.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { commandOf, type Input, inputsOf, problemOf } from './command-of.ts'
import styles from './run-new.module.css'

/** The command that starts a run, made of what is typed here: the page itself starts nothing. */
export function Page(): ReactNode {
  const [{ blueprint }, setFilter] = useFilters('blueprint')
  const blueprints = useRead('/api/v1/objects', { query: { kind: 'Blueprint', limit: 1000 } })
  return (
    <PageFrame
      title="Start a run"
      crumbs={<Link href="/runs">Runs</Link>}
      lead="Fill in what the blueprint asks for and run the command in a terminal: this page only reads."
    >
      <Loaded of={blueprints} lines={6}>
        {({ items }) => {
          if (items.length === 0)
            return (
              <Empty title="No blueprint is declared">
                Add one to the state repo: docs/guide/blueprints.md shows how.
              </Empty>
            )
          const chosen = items.find(({ namespace, name }) => `${namespace}/${name}` === blueprint) ?? null
          return (
            <div className={styles['form']}>
              <ChoiceField
                label="Blueprint"
                value={blueprint}
                choices={items.map(({ namespace, name }) => [
                  `${namespace}/${name}`,
                  namespace === 'default' ? name : `${namespace}/${name}`,
                ])}
                onChange={(next) => setFilter('blueprint', next)}
                none="choose one…"
                testId="new-blueprint"
              />
              {chosen === null ? (
                <Empty title="Nothing is chosen yet" icon={Play}>
                  The fields of a blueprint, and the command that starts it with what is typed in them, stand here.
                </Empty>
              ) : (
                <BlueprintForm key={blueprint} namespace={chosen.namespace} name={chosen.name} />
              )}
            </div>
          )
        }}
      </Loaded>
    </PageFrame>
  )
}

function BlueprintForm({ namespace, name }: { readonly namespace: string; readonly name: string }): ReactNode {
  const object = useRead('/api/v1/objects/{kind}/{name}', { path: { kind: 'Blueprint', name }, query: { namespace } })
  return (
    <Loaded of={object} lines={8}>
      {({ spec, effective }) => <Fields blueprint={{ namespace, name }} spec={effective ?? spec} />}
    </Loaded>
  )
}

function Fields(props: {
  readonly blueprint: { readonly namespace: string; readonly name: string }
  readonly spec: Readonly<Record<string, unknown>>
}): ReactNode {
  const { blueprint, spec } = props
  const inputs = useMemo(() => inputsOf(spec), [spec])
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const description = spec['description']
  const problems = inputs.filter((input) => problemOf(input, typed[input.name] ?? input.initial) !== null)
  return (
    <Columns first="even">
      <Card
        title="Inputs"
        aside={
          <Link href={`/resources/Blueprint/${blueprint.namespace}/${blueprint.name}`} data-testid="new-blueprint-link">
            Blueprint
          </Link>
        }
      >
        {typeof description === 'string' ? <p className={styles['description']}>{description}</p> : null}
        {inputs.length === 0 ? (
          <p className={styles['description']}>It takes none.</p>
        ) : (
          <div className={styles['fields']}>
            {inputs.map((input) => (
              <Field
                key={input.name}
                input={input}
                value={typed[input.name] ?? input.initial}
                isTouched={typed[input.name] !== undefined}
                onChange={(text) => setTyped((before) => ({ ...before, [input.name]: text }))}
              />
            ))}
          </div>
        )}
      </Card>
      <Card title="In a terminal">
        <div className={styles['fields']}>
          <Command label="Start it" command={commandOf(blueprint, inputs, typed)} testId="new-command" />
          <Command
            label="Start it, and show its steps until it ends"
            command={`${commandOf(blueprint, inputs, typed)} --wait`}
            testId="new-command-wait"
          />
          {problems.length === 0 ? null : (
            <p className={styles['problem']} role="status" data-testid="new-problems">
              It would be refused:{' '}
              {problems
                .map((input) => `${input.name} ${problemOf(input, typed[input.name] ?? input.initial)}`)
                .join(', ')}
              .
            </p>
          )}
        </div>
      </Card>
    </Columns>
  )
}

function Field(props: {
  readonly input: Input
  readonly value: string
  readonly isTouched: boolean
  readonly onChange: (text: string) => void
}): ReactNode {
  const { input, value, isTouched, onChange } = props
  const id = `input-${input.name}`
  const problem = isTouched ? problemOf(input, value) : null
  const common = {
    id,
    className: styles['control'],
    'aria-invalid': problem !== null,
    'aria-describedby': `${id}-about`,
    'data-testid': `new-input-${input.name}`,
  }
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>
        {input.name}
        {input.required ? <span className={styles['required']}> required</span> : null}
      </label>
      {input.type === 'boolean' || input.type === 'choice' ? (
        <select {...common} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">–</option>
          {(input.type === 'boolean' ? ['true', 'false'] : input.choices).map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : input.type === 'json' ? (
        <textarea
          {...common}
          rows={3}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...common}
          type="text"
          inputMode={input.type === 'number' ? 'decimal' : 'text'}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      <p id={`${id}-about`} className={problem === null ? styles['hint'] : styles['problem']}>
        {problem === null
          ? (input.description ?? (input.type === 'json' ? 'JSON' : input.type))
          : `${input.name} ${problem}`}
      </p>
    </div>
  )
}
