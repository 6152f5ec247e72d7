import { Component, type ReactNode } from 'react'
import { Failure } from '../components/states.tsx'

interface State {
  readonly error: unknown
}

/** A page that fails says so, and the others go on. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null }

  static getDerivedStateFromError(error: unknown): State {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    // A build that was replaced meanwhile has other files: the page is loaded anew.
    return <Failure error={this.state.error} onRetry={() => location.reload()} />
  }
}
