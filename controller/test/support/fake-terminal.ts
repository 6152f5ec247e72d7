import picocolors from 'picocolors'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface FakeTerminal extends Terminal {
  readonly output: () => string
  readonly errors: () => string
  interrupt(): void
}

/** A terminal that keeps what is printed. No colours, no width, the clock stands still. */
export function fakeTerminal(
  options: Partial<Terminal> & { readonly input?: string; readonly now?: string } = {},
): FakeTerminal {
  const { input = '', now = '2026-05-04T10:00:00.000Z', ...own } = options
  const out: string[] = []
  const err: string[] = []
  const interrupted = new AbortController()
  return {
    cwd: '/nowhere',
    env: {},
    clock: { now: () => new Date(now), monotonicMs: () => 0 },
    colors: picocolors.createColors(false),
    columns: null,
    live: null,
    out: async (text) => void out.push(text),
    err: async (text) => void err.push(text),
    stdin: async () => input,
    untilInterrupted: () => interrupted.signal,
    output: () => out.join(''),
    errors: () => err.join(''),
    interrupt: () => interrupted.abort(),
    ...own,
  }
}
