import type { ReactNode } from 'react'
import { Command } from './command.tsx'
import styles from './command-set.module.css'
import { Card } from './page.tsx'

export interface NamedCommand {
  readonly label: string
  readonly command: string
}

/** What somebody may want to do about what is shown. The page does none of it: these are typed in a terminal. */
export function CommandSet(props: {
  readonly title?: string
  readonly commands: readonly NamedCommand[]
  readonly testId: string
}): ReactNode {
  const { title = 'Act on it, in a terminal', commands, testId } = props
  return (
    <Card title={title} testId={testId}>
      <CommandGrid commands={commands} testId={testId} />
    </Card>
  )
}

/** The same without a surface of its own. */
export function CommandGrid(props: { readonly commands: readonly NamedCommand[]; readonly testId: string }): ReactNode {
  return (
    <div className={styles['grid']}>
      {props.commands.map(({ label, command }) => (
        <Command
          key={label}
          label={label}
          command={command}
          testId={`${props.testId}-${label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`}
        />
      ))}
    </div>
  )
}
