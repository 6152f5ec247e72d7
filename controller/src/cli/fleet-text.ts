import type { Fleet } from './client/operations.ts'

export function fleetText({ frozen, by, reason, since }: Fleet): string {
  if (!frozen) return 'the fleet goes on\n'
  return `the fleet is frozen since ${since} by ${by}${reason === null ? '' : `: ${reason}`}\nlet it go on: stateward unfreeze\n`
}
