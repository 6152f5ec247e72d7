import type { Host } from '../../api/reads.ts'
import type { Tone } from '../../components/status-tone.ts'

/** How a host stands, in one word. */
export function hostState(host: Host): string {
  if (!host.ready) return 'not ready'
  if (host.drain !== null) return host.drain.completed_at === null ? 'draining' : 'drained'
  if (host.cordoned_by !== null) return 'cordoned'
  return host.schedulable ? 'ready' : 'full'
}

export function hostTone(host: Host): Tone {
  if (!host.ready) return 'bad'
  if (host.drain !== null || host.cordoned_by !== null) return 'warn'
  return host.schedulable ? 'good' : 'idle'
}

/** What is not ready first, then the fullest. */
export function byNeed(a: Host, b: Host): number {
  return (
    Number(a.ready) - Number(b.ready) ||
    Number(a.schedulable) - Number(b.schedulable) ||
    fullness(b) - fullness(a) ||
    a.name.localeCompare(b.name, 'en', { numeric: true })
  )
}

function fullness({ slots: { used, total } }: Host): number {
  return total === 0 ? 0 : used / total
}
