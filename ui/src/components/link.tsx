import type { CSSProperties, ReactNode } from 'react'
import { Link as RouterLink } from 'wouter'

interface LinkProps {
  /** Below `/ui`. */
  readonly href: string
  readonly className?: string | undefined
  readonly title?: string | undefined
  readonly tabIndex?: number
  readonly 'aria-current'?: 'page' | 'true' | undefined
  readonly style?: CSSProperties
  /** Default: `link-` and the first part of where it leads, such as `link-runs`. */
  readonly 'data-testid'?: string
  readonly children: ReactNode
}

/** A link to another page of this one, which tests can find. */
export function Link(props: LinkProps): ReactNode {
  const [, first = ''] = props.href.split(/[/?]/)
  return <RouterLink data-testid={`link-${first === '' ? 'overview' : first}`} {...props} />
}
