import cors from '@fastify/cors'
import type { Api } from './typed.ts'

const ASKED_AGAIN_SECONDS = 600

/**
 * Which pages of other origins a browser lets read our answers: those that are configured, none by default. Requests of
 * all others are refused anyhow (`trusted-host.ts`); credentials are never a browser's own, so cookies are not allowed.
 */
export async function addCrossOrigin(app: Api, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'Last-Event-ID',
      'X-API-Key',
      'X-Correlation-Id',
    ],
    exposedHeaders: ['X-Correlation-Id', 'Retry-After', 'Idempotency-Replayed', 'X-Next-Cursor'],
    maxAge: ASKED_AGAIN_SECONDS,
    credentials: false,
  })
}
