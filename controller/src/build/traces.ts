import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { packageVersion } from '../lib/package-root.ts'
import type { LogConsumer } from '../store/log-consumer.ts'
import type { OtlpExporter } from '../telemetry/otlp/exporter.ts'
import { type OtlpSettings, otlpSettings } from '../telemetry/otlp/settings.ts'
import { exportTraces, forgetTraces } from '../traces/trace-log.ts'
import type { Core } from './core.ts'

export interface Traces {
  start(): void
  stop(): Promise<void>
}

/** Traces and metrics to a collector, where OTEL_* variables name one; else nothing of it is loaded. SW_CONFIG_INVALID. */
export function makeTraces(core: Core, revision: () => string | null): Traces {
  const settings = settingsOf(core)
  let starting: Promise<void> | null = null
  let consumer: LogConsumer | null = null
  let exporter: OtlpExporter | null = null
  let unsubscribe = (): void => {}
  const start = async (): Promise<void> => {
    if (settings === null) return forgetTraces(core.store)
    const { openOtlp } = await import('../telemetry/otlp/exporter.ts')
    exporter = await openOtlp(settings, packageVersion())
    consumer = await exportTraces(core.store, exporter, revision)
    const follow = consumer
    unsubscribe = core.feed.subscribe(() => follow.nudge())
    consumer.nudge()
  }
  return {
    start() {
      starting = start().catch((error: unknown) => core.log.error({ err: error }, 'traces cannot be exported'))
    },
    async stop() {
      await starting
      unsubscribe()
      await consumer?.stop()
      await exporter
        ?.close()
        .catch((error: unknown) => core.log.warn({ err: error }, 'the last metrics were not taken'))
    },
  }
}

function settingsOf({ environment }: Core): OtlpSettings | null {
  try {
    return otlpSettings(environment)
  } catch (error) {
    throw fail('SW_CONFIG_INVALID', errorMessage(error), { cause: error, remedy: 'see docs/operations.md: traces' })
  }
}
