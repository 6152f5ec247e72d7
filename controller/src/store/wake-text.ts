import { isObject } from '../lib/json.ts'

/** Where another process has to look. */
export type Wake =
  /** A process is there, or listens again: look at everything. */
  | { readonly kind: 'joined' }
  /** A process is gone, or took over from one: its runs and leaderships are free. */
  | { readonly kind: 'left' }
  /** Something came to the inbox of a run, or it is free to be claimed; null = several. */
  | { readonly kind: 'run'; readonly run: string | null }
  /** A task was queued for an agent. */
  | { readonly kind: 'task'; readonly namespace: string; readonly agent: string }
  /** The task of a step is not wanted any more. */
  | { readonly kind: 'task_cancelled'; readonly step: string }
  /** The leader is to look at an object: one of its instances reported to another process. */
  | { readonly kind: 'object'; readonly key: string }
  /** The whole fleet was halted, or goes on. */
  | { readonly kind: 'froze' }
  /** The leader was asked something, or has answered. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'answered'; readonly id: string }

/** As it goes through NOTIFY; far below the 8000 bytes that carries. */
export function wakeText(from: string, wake: Wake): string {
  return JSON.stringify({ from, ...wake })
}

const FIELDS: Readonly<Record<Wake['kind'], readonly string[]>> = {
  joined: [],
  left: [],
  run: [],
  task: ['namespace', 'agent'],
  task_cancelled: ['step'],
  object: ['key'],
  froze: [],
  asked: [],
  answered: ['id'],
}

/** Null for what is none: a newer program's, or somebody else's. */
export function wokenBy(text: string): { readonly from: string; readonly wake: Wake } | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(value) || typeof value['from'] !== 'string' || typeof value['kind'] !== 'string') return null
  const { from, ...wake } = value
  if (!Object.hasOwn(FIELDS, value['kind'])) return null
  if (FIELDS[value['kind'] as Wake['kind']].some((field) => typeof wake[field] !== 'string')) return null
  if (wake['kind'] === 'run' && wake['run'] !== null && typeof wake['run'] !== 'string') return null
  return { from, wake: wake as unknown as Wake }
}
