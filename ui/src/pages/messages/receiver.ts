import type { Message } from '../../api/reads.ts'

/** `sre`, `role on-call`, `topic deploys`. */
export function receiverText(to: Message['to']): string {
  if ('agent' in to) return to.agent
  return 'role' in to ? `role ${to.role}` : `topic ${to.topic}`
}
