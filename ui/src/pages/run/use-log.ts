import { useEffect, useState } from 'react'
import { open } from '../../api/get.ts'
import { LogBuffer, type LogLine } from './log-lines.ts'

const MOST_LINES = 50_000
const PAINT_MS = 100

export interface LogReading {
  readonly lines: readonly LogLine[]
  /** Lines at the beginning that were let go. */
  readonly dropped: number
  readonly isOpen: boolean
  readonly error: unknown
  readonly retry: () => void
}

/** Reads a log as it is written, from its beginning; ends when the log does, or whoever looks goes away. */
export function useLog(address: string): LogReading {
  const [state, setState] = useState<Omit<LogReading, 'retry'>>({ lines: [], dropped: 0, isOpen: true, error: null })
  const [attempt, setAttempt] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt reads it again
  useEffect(() => {
    const abort = new AbortController()
    const buffer = new LogBuffer(MOST_LINES)
    let timer: ReturnType<typeof setTimeout> | null = null
    const show = (isOpen: boolean, error: unknown = null): void => {
      if (timer !== null) clearTimeout(timer)
      timer = null
      if (!abort.signal.aborted) setState({ lines: buffer.lines(), dropped: buffer.dropped, isOpen, error })
    }
    const read = async (): Promise<void> => {
      const response = await open(address, 'text/plain', abort.signal)
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        buffer.push(piece.value)
        // As often as somebody can see, however often pieces come.
        timer ??= setTimeout(() => show(true), PAINT_MS)
      }
    }
    setState({ lines: [], dropped: 0, isOpen: true, error: null })
    read().then(
      () => show(false),
      (error: unknown) => show(false, error),
    )
    return () => {
      abort.abort()
      if (timer !== null) clearTimeout(timer)
    }
  }, [address, attempt])
  return { ...state, retry: () => setAttempt((before) => before + 1) }
}
