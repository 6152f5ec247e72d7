import { Check, Copy } from 'lucide-react'
import { Fragment, type ReactNode, useEffect, useState } from 'react'
import styles from './command.module.css'

/**
 * A command to be run in a terminal, exactly as it stands, with a button that copies it: the page itself changes nothing.
 * `label` says what it does.
 */
export function Command(props: {
  readonly command: string
  readonly label?: string
  readonly testId?: string
}): ReactNode {
  const { command, label, testId = 'command' } = props
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <div className={styles['command']} data-testid={testId}>
      {label === undefined ? null : <span className={styles['label']}>{label}</span>}
      <div className={styles['box']}>
        <code
          className={styles['text']}
          tabIndex={0}
          role="textbox"
          aria-readonly
          aria-label={label ?? 'Command'}
          data-testid={`${testId}-text`}
        >
          {command.split(' ').map((word, at) => (
            <Fragment key={at}>
              {at === 0 ? '' : ' '}
              <span className={styles['word']}>{word}</span>
            </Fragment>
          ))}
        </code>
        <button
          type="button"
          className={styles['copy']}
          data-testid={`${testId}-copy`}
          aria-label={copied ? 'Copied' : `Copy: ${label ?? command}`}
          onClick={() => void copyText(command).then(setCopied)}
        >
          {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
        </button>
      </div>
      <span className="visually-hidden" role="status">
        {copied ? 'Copied' : ''}
      </span>
    </div>
  )
}

/** Resolves false where the browser lets nobody write to the clipboard: the text can still be selected. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
