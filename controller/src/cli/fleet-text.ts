import type { Fleet } from './client/operations.ts'

export function fleetText({ frozen, by, reason, since, commit }: Fleet): string {
  if (!frozen) return 'the fleet goes on\n'
  return `the fleet is frozen since ${since} by ${by}${reason === null ? '' : `: ${reason}`}${commit === null ? '' : `\nsigned commit ${commit.slice(0, 12)} at refs/stateward/freeze`}\nlet it go on: stateward unfreeze\n`
}
