/**
 * The places at which losing the process is most telling. Each is passed by name to a hook, so that a test can end the
 * process exactly there; without a hook they cost a call.
 */
export const CRASH_POINTS = {
  'journal.before_commit': 'a batch is about to be sent',
  'journal.after_commit': 'a batch is durable, nobody has been told',
  'trigger.before_commit': 'runs of events are made or inserted, the cursor behind them is not committed',
  'trigger.after_commit': 'the cursor is durable, no worker has been told of runs that are free',
  'run.claimed': 'a run is ours, nothing of it is loaded',
  'action.before_effect': 'the intent is durable, the effect has not started',
  'action.after_effect': 'the effect has ended, its outcome is not written',
  'budget.reserved': 'money is kept for a step, nothing of what it is for has begun',
  'budget.unsettled': 'what was paid for has ended and is recorded, its money is not settled',
  'gate.before_commit': 'a decision is written, not committed',
  'gate.after_commit': 'a decision is durable, the run has not been told',
} as const

export type CrashPoint = keyof typeof CRASH_POINTS
export type CrashHook = (name: CrashPoint) => void

export const noCrash: CrashHook = () => {}
