import type { WorkDeps } from '../../work/ports.ts'

/** What the work graph asks of what is declared. */
export type WorkSurroundings = Omit<WorkDeps, 'store'>
