import type { Json } from '../../lib/json.ts'

export interface WebhookReceiver {
  /**
   * Makes a delivery an event when its signature is right; `seq` null = it had come before, and this is the first answer.
   * SW_NOT_FOUND, SW_UNAUTHENTICATED, SW_NOT_READY (its key cannot be read), and what `content` throws.
   */
  receive(delivery: {
    readonly namespace: string
    readonly name: string
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
    /** As it came: what was signed. */
    readonly body: Buffer
    /** Reads the body; called when the signature is right. */
    readonly content: () => Json
    readonly correlationId: string
  }): Promise<{ readonly eventId: string; readonly eventName: string; readonly seq: number | null }>
}
