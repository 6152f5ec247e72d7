import type { ReactNode } from 'react'
import { EventTable } from '../events/event-table.tsx'

/** The history of a run, or of one step of it, as it was recorded. */
export function EventsPanel({ runId, stepId }: { readonly runId: string; readonly stepId?: string }): ReactNode {
  return (
    <EventTable
      query={{ run_id: runId, step_id: stepId, order: 'asc' }}
      empty="Events are kept for a time; the run itself stays longer."
      testId="run-events"
    />
  )
}
