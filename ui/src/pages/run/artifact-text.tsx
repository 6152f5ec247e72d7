import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { open } from '../../api/get.ts'
import { Failure, Skeleton } from '../../components/states.tsx'
import { TextBlock } from '../../components/text-block.tsx'
import { bytes } from '../../text/numbers.ts'
import styles from './run.module.css'

const MOST_SHOWN = 256 * 1024

/** The beginning of an artifact, which never changes. */
export function useArtifactText(id: string) {
  return useQuery({
    queryKey: ['text of artifact', id],
    queryFn: async ({ signal }) => firstText(await open(`/api/v1/artifacts/${id}/download`, '*/*', signal)),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Says so where only the beginning is shown. */
export function Shortened({ isWhole }: { readonly isWhole: boolean }): ReactNode {
  return isWhole ? null : <p className={styles['none']}>Only the first {bytes(MOST_SHOWN)} are shown.</p>
}

/** The beginning of an artifact as text, whatever it says it is. */
export function ArtifactText({ id, label }: { readonly id: string; readonly label: string }): ReactNode {
  const text = useArtifactText(id)
  if (text.error !== null) return <Failure error={text.error} onRetry={() => void text.refetch()} />
  if (text.data === undefined) return <Skeleton lines={6} />
  return (
    <>
      <TextBlock text={pretty(text.data.text)} label={label} testId="artifact-text" />
      <Shortened isWhole={text.data.isWhole} />
    </>
  )
}

async function firstText(response: Response): Promise<{ text: string; isWhole: boolean }> {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += decoder.decode(piece.value, { stream: true })
    length += piece.value.length
    if (length > MOST_SHOWN) {
      await reader.cancel()
      return { text: text.slice(0, MOST_SHOWN), isWhole: false }
    }
  }
  return { text: text + decoder.decode(), isWhole: true }
}

function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
