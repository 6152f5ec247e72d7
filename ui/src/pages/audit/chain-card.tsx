import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ReadError } from '../../api/get.ts'
import type { AuditVerdict, LogBatches } from '../../api/reads.ts'
import { Button } from '../../components/button.tsx'
import { CommandGrid } from '../../components/command-set.tsx'
import { Stack } from '../../components/layout.tsx'
import { Meter } from '../../components/meter.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Failure, Loaded } from '../../components/states.tsx'
import { Status } from '../../components/status.tsx'
import { whole } from '../../text/numbers.ts'
import styles from './audit.module.css'
import { recompute } from './recompute.ts'
import { type Progress, verifyLog } from './verification.ts'

/** Whether the log is as it was written: what this browser can tell by itself, and the whole of it where one may ask for that. */
export function ChainCard({ batches }: { readonly batches: UseQueryResult<LogBatches> }): ReactNode {
  return (
    <Card title="The chain of the log" testId="audit-chain">
      <Loaded of={batches} lines={6}>
        {(page) => (
          <Stack>
            <Here page={page} />
            <Whole />
            <CommandGrid
              testId="audit"
              commands={[
                { label: 'Verify it in a terminal', command: 'stateward audit verify' },
                {
                  label: 'Compare its head with what stands in Git',
                  command: "git log -1 --format='%(trailers:key=Stateward-Log)' origin/stateward/status",
                },
              ]}
            />
          </Stack>
        )}
      </Loaded>
    </Card>
  )
}

function Here({ page }: { readonly page: LogBatches }): ReactNode {
  const subtle = globalThis.crypto.subtle as SubtleCrypto | undefined
  const found = useQuery({
    queryKey: ['recomputed chain', page.items[0]?.hash ?? '', page.items.length],
    queryFn: () => recompute(page.items, subtle!),
    enabled: subtle !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const verdict =
    subtle === undefined
      ? { word: 'not computed here', tone: 'idle' as const }
      : found.data === undefined
        ? { word: 'computing', tone: 'busy' as const }
        : found.data.wrongAt === null
          ? { word: 'unbroken', tone: 'good' as const }
          : { word: `broken at ${found.data.wrongAt}`, tone: 'bad' as const }
  return (
    <Facts
      of={[
        [
          'Head of the log',
          <span key="head" className="numeric">
            {whole(page.head.seq)}
          </span>,
        ],
        [
          'Hash at the head',
          <code key="hash" className={styles['hash']}>
            {page.head.hash}
          </code>,
        ],
        [
          'Last batches, computed again by this browser',
          <Status key="verdict" value={verdict.word} tone={verdict.tone} />,
        ],
        [
          'How many',
          subtle === undefined
            ? 'browsers compute hashes on HTTPS and on this machine only'
            : `${whole(found.data?.checked ?? 0)} of ${whole(page.items.length)} read`,
        ],
        ['Events are held from', whole(page.first_held_seq)],
      ]}
    />
  )
}

type Standing =
  | { readonly is: 'idle' }
  | { readonly is: 'running'; readonly progress: Progress | null }
  | { readonly is: 'done'; readonly verdict: AuditVerdict }
  | { readonly is: 'failed'; readonly error: unknown }

/** All of it, row by row, by the server: it takes a while, and not everybody may ask for it. */
function Whole(): ReactNode {
  const [standing, setStanding] = useState<Standing>({ is: 'idle' })
  const controller = useRef<AbortController | null>(null)
  useEffect(() => () => controller.current?.abort(), [])
  const verify = async (): Promise<void> => {
    controller.current?.abort()
    const mine = new AbortController()
    controller.current = mine
    setStanding({ is: 'running', progress: null })
    try {
      const verdict = await verifyLog((progress) => setStanding({ is: 'running', progress }), mine.signal)
      setStanding({ is: 'done', verdict })
    } catch (error) {
      if (!mine.signal.aborted) setStanding({ is: 'failed', error })
    }
  }
  return (
    <div className={styles['whole']} aria-live="polite">
      <Button onClick={() => void verify()} testId="audit-verify">
        {standing.is === 'running' ? 'Verifying…' : 'Verify every event'}
      </Button>
      <div className={styles['outcome']} data-testid="audit-outcome">
        <Outcome standing={standing} />
      </div>
    </div>
  )
}

function Outcome({ standing }: { readonly standing: Standing }): ReactNode {
  switch (standing.is) {
    case 'idle':
      return (
        <p className="faint">
          The server compares every event it holds with its digest, and the chain from its beginning.
        </p>
      )
    case 'running': {
      const { progress } = standing
      return progress === null ? (
        <p className="faint">It has begun.</p>
      ) : (
        <Meter
          label="Verified"
          value={progress.seq}
          max={progress.of}
          text={`${whole(progress.seq)} of ${whole(progress.of)}`}
        />
      )
    }
    case 'done':
      return <Verdict verdict={standing.verdict} />
    case 'failed':
      return standing.error instanceof ReadError && [401, 403].includes(standing.error.status) ? (
        <p className="faint">
          {standing.error.message}: an administrator opens this page with <code>stateward ui</code>, or verifies in a
          terminal.
        </p>
      ) : (
        <Failure error={standing.error} />
      )
  }
}

function Verdict({ verdict }: { readonly verdict: AuditVerdict }): ReactNode {
  if (!verdict.ok)
    return (
      <>
        <Status value={`altered at ${verdict.seq}`} tone="bad" />
        <p>
          {verdict.message} <code>{verdict.fault}</code>
        </p>
      </>
    )
  return (
    <>
      <Status value="as it was written" tone="good" />
      <p className="faint">
        {whole(verdict.events ?? 0)} events in {whole(verdict.batches ?? 0)} batches, up to {whole(verdict.seq)}
        {verdict.first_held_seq === 1
          ? ''
          : `; those below ${whole(verdict.first_held_seq ?? 1)} were dropped by retention, their batches are there`}
      </p>
    </>
  )
}
