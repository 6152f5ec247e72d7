import pc from 'picocolors'

const LEVELS: Record<number, string> = {
  10: pc.gray('TRACE'),
  20: pc.gray('DEBUG'),
  30: pc.green('INFO '),
  40: pc.yellow('WARN '),
  50: pc.red('ERROR'),
  60: pc.red('FATAL'),
}
const HIDDEN = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname'])

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value
  return JSON.stringify(value) ?? 'null'
}

/** One JSON log line as a person reads it: `09:14:02 INFO  applied revision kind=Source name=main`, an error below it. */
export function prettyLine(line: string): string {
  let record: Record<string, unknown>
  try {
    record = JSON.parse(line) as Record<string, unknown>
  } catch {
    // Not ours (a library wrote text): pass it on rather than lose it.
    return line
  }
  const time = typeof record['time'] === 'string' ? record['time'].slice(11, 19) : ''
  const level = LEVELS[Number(record['level'])] ?? String(record['level'])
  const fields = Object.entries(record)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${pc.dim(`${key}=`)}${fieldText(value)}`)
  const text = [pc.dim(time), level, String(record['msg'] ?? ''), ...fields].join(' ')
  return `${text}${errorText(record['err'])}\n`
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { message, stack } = error as { message?: string; stack?: string }
  const body = stack ?? message
  return body === undefined ? '' : `\n  ${body.replaceAll('\n', '\n  ')}`
}
