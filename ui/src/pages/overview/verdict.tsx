import { CircleCheck, CircleX, Clock3, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/get.ts'
import { useRead } from '../../api/use-read.ts'
import { Link } from '../../components/link.tsx'
import { Skeleton } from '../../components/states.tsx'
import { useNow } from '../../settings/clock.tsx'
import { classNames } from '../../text/class-names.ts'
import { money, percent, short } from '../../text/numbers.ts'
import { duration } from '../../text/time.ts'
import { useActiveAlerts } from './use-active-alerts.ts'
import { useWaiting, type WaitingItem } from './use-waiting.ts'
import styles from './verdict.module.css'

type Tone = 'good' | 'wait' | 'warn' | 'bad'
const ICONS: Readonly<Record<Tone, LucideIcon>> = { good: CircleCheck, wait: Clock3, warn: TriangleAlert, bad: CircleX }

interface Answered {
  readonly tone: Tone
  readonly word: string
  readonly detail: string
}

/** Four questions and their answers, before anything else: each leads to what is behind it. */
export function Verdict(): ReactNode {
  const overview = useRead('/api/v1/overview')
  const dashboard = useRead('/api/v1/dashboard')
  const waiting = useWaiting()
  const alerts = useActiveAlerts()
  const budgets = useRead('/api/v1/budgets')
  const forecast = useRead('/api/v1/costs/forecast')
  const now = useNow()
  return (
    <ul className={styles['verdict']} data-testid="verdict">
      <Tile
        id="sync"
        question="Is the fleet what Git says?"
        href="/resources"
        answer={overview.data === undefined ? unreadOf(overview.error) : syncOf(overview.data)}
      />
      <Tile
        id="waiting"
        question="What waits for somebody?"
        href="/approvals"
        answer={
          waiting.items.length > 0 || (!waiting.isPending && waiting.error === null)
            ? waitingOf(waiting, now)
            : unreadOf(waiting.error)
        }
      />
      <Tile
        id="broken"
        question="What is broken?"
        href={overview.data !== undefined && notReady(overview.data) > 0 ? '/resources?standing=False' : '/alerts'}
        answer={
          overview.data === undefined || dashboard.data === undefined || alerts.alerts === undefined
            ? unreadOf(overview.error ?? dashboard.error ?? alerts.error)
            : brokenOf(overview.data, dashboard.data.runs['failed'] ?? 0, alerts)
        }
      />
      <Tile
        id="cost"
        question="What does it cost?"
        href="/costs"
        answer={
          budgets.data === undefined || forecast.data === undefined
            ? unreadOf(budgets.error ?? forecast.error)
            : costOf(forecast.data, budgets.data.items)
        }
      />
    </ul>
  )
}

/** What cannot be read is no good news; what is not read yet is none at all. */
function unreadOf(error: Error | null): Answered | null {
  return error === null ? null : { tone: 'warn', word: 'Not known', detail: error.message }
}

function Tile(props: {
  readonly id: string
  readonly question: string
  readonly href: string
  readonly answer: Answered | null
}): ReactNode {
  const { id, question, href, answer } = props
  const Icon = answer === null ? null : ICONS[answer.tone]
  return (
    <li className={classNames(styles['tile'], answer !== null && styles[answer.tone])} data-testid={`verdict-${id}`}>
      <Link href={href} className={styles['link']}>
        <span className={styles['question']}>{question}</span>
        {answer === null || Icon === null ? (
          <Skeleton lines={2} />
        ) : (
          <>
            <span className={styles['answer']}>
              <Icon size={20} aria-hidden />
              <span>{answer.word}</span>
            </span>
            <span className={styles['detail']}>{answer.detail}</span>
          </>
        )}
      </Link>
    </li>
  )
}

function syncOf({ sources, queue }: Answer<'/api/v1/overview'>): Answered {
  const bad = sources.filter(({ state }) => state === 'behind' || state === 'failed')
  const names = (of: typeof sources): string => of.map(({ name, message }) => `${name}: ${message}`).join('; ')
  if (bad.length > 0) return { tone: 'bad', word: 'No', detail: names(bad) }
  const unread = sources.filter(({ state }) => state === 'unknown')
  if (sources.length === 0 || unread.length > 0)
    return { tone: 'wait', word: 'Not read yet', detail: names(unread) || 'the first source is read after the start' }
  if (queue.drifts > 0)
    return {
      tone: 'warn',
      word: `Almost, ${counted(queue.drifts, 'drift')}`,
      detail: 'the last commit is applied; something live was changed since',
    }
  const partial = sources.filter(({ state }) => state === 'partial')
  if (partial.length > 0) return { tone: 'warn', word: 'In part', detail: names(partial) }
  return { tone: 'good', word: 'Yes', detail: sources.map(appliedOf).join('; ') }
}

/** What of a source runs, in the words of who committed it. */
function appliedOf({ name, applied }: Answer<'/api/v1/overview'>['sources'][number]): string {
  const { revision = '', commit = null } = applied ?? {}
  return `${name}: ${commit?.subject ?? revision.slice(0, 10)}`
}

const WORDS: readonly (readonly [what: WaitingItem['what'], word: string])[] = [
  ['gate', 'gate'],
  ['change', 'change'],
  ['proposal', 'proposal'],
  ['budget', 'spent budget'],
]

function waitingOf({ items, isMore }: ReturnType<typeof useWaiting>, now: number): Answered {
  if (items.length === 0) return { tone: 'good', word: 'Nothing', detail: 'no gate, no change, no proposal' }
  const since = Math.min(...items.flatMap((item) => (item.since === null ? [] : [Date.parse(item.since)])))
  const parts = WORDS.flatMap(([what, word]) => {
    const count = items.filter((item) => item.what === what).length
    return count === 0 ? [] : [counted(count, word)]
  })
  return {
    tone: 'wait',
    word: counted(items.length, 'thing', isMore),
    detail: `${parts.join(', ')}${Number.isFinite(since) ? `; the longest for ${duration(Math.max(0, now - since))}` : ''}`,
  }
}

function notReady({ objects }: Answer<'/api/v1/overview'>): number {
  return objects.reduce((sum, each) => sum + each.not_ready, 0)
}

function brokenOf(
  overview: Answer<'/api/v1/overview'>,
  failed: number,
  { alerts = [], critical, isMoreCritical, isMore }: ReturnType<typeof useActiveAlerts>,
): Answered {
  const objects = notReady(overview)
  const others = alerts.length - critical
  const detail = [
    ...(objects > 0 ? [`${counted(objects, 'object')} not ready`] : []),
    ...(critical > 0 ? [counted(critical, 'critical alert', isMoreCritical)] : []),
    ...(others > 0 ? [counted(others, critical > 0 ? 'other alert' : 'alert', isMore)] : []),
    ...(failed > 0 ? [`${counted(failed, 'run')} failed in a day`] : []),
  ].join(', ')
  if (objects + critical > 0) return { tone: 'bad', word: counted(objects + critical, 'thing', isMoreCritical), detail }
  if (others + failed > 0) return { tone: 'warn', word: 'Nothing critical', detail }
  return { tone: 'good', word: 'Nothing', detail: 'every object is ready, no alert, no failed run in a day' }
}

type Budget = Answer<'/api/v1/budgets'>['items'][number]

function costOf({ total }: Answer<'/api/v1/costs/forecast'>, budgets: Answer<'/api/v1/budgets'>['items']): Answered {
  const word = money(total.window_usd)
  const forecast = `this month, ${money(total.forecast_usd)} by its end`
  const spent = budgets.filter(({ used_usd: used, max_usd: max }) => Number(used) >= Number(max))
  const over = budgets.filter(({ forecast_usd: by, max_usd: max }) => Number(by) > Number(max))
  if (spent.length > 0) return { tone: 'bad', word, detail: `${forecast}; ${counted(spent.length, 'budget')} spent` }
  if (over.length > 0)
    return { tone: 'warn', word, detail: `${forecast}; ${counted(over.length, 'budget')} will not last` }
  if (budgets.length === 0) return { tone: 'good', word, detail: `${forecast}; no budget` }
  const [most] = budgets.toSorted((a, b) => shareOf(b) - shareOf(a))
  return { tone: 'good', word, detail: `${forecast}; ${percent(shareOf(most!))} of budget ${most!.name} is spent` }
}

function shareOf({ used_usd: used, max_usd: max }: Budget): number {
  return Number(used) / Number(max)
}

function counted(count: number, word: string, isMore = false): string {
  return `${short(count)}${isMore ? '+' : ''} ${word}${count === 1 && !isMore ? '' : 's'}`
}
