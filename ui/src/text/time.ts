const UNITS: readonly (readonly [unit: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
]

/** `3d 4h`, `12m`, `850ms`: a length of time in at most two units. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`
  const seconds = Math.round(ms / 1_000)
  const first = UNITS.findIndex(([, size]) => seconds >= size)
  const [unit, size] = UNITS[first]!
  const next = UNITS[first + 1]
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1])
  const head = `${Math.floor(seconds / size)}${unit}`
  return rest === 0 ? head : `${head} ${rest}${next![0]}`
}

/** `12s ago`, `in 3m`, `now`: one unit is enough from afar. */
export function ago(time: number, now: number): string {
  const seconds = Math.round(Math.abs(now - time) / 1_000)
  if (seconds < 2) return 'now'
  const [unit, size] = UNITS.find(([, each]) => seconds >= each)!
  const text = `${Math.floor(seconds / size)}${unit}`
  return time > now ? `in ${text}` : `${text} ago`
}

/** Date and time in a zone, in the order that sorts: `2026-03-01 14:05:09`. */
export function stamp(time: number, zone: string, withMs = false): string {
  const parts = Object.fromEntries(
    formatterOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  )
  const text = `${parts['year']}-${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']}:${parts['second']}`
  return withMs ? `${text}.${parts['fractionalSecond']}` : text
}

/** What a zone is called at a time, as short as it goes: `UTC`, `CET`, `GMT+5:30`. */
export function zoneName(time: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'short' }).formatToParts(time)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Making one takes longer than using it a thousand times. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
      ...{ fractionalSecondDigits: 3, hourCycle: 'h23' },
    })
    formatters.set(zone, formatter)
  }
  return formatter
}
