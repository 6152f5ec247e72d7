/** Who does it, and the id that ties everything that follows together. */
export interface Caller {
  readonly actor: string
  readonly correlationId: string
  /** Roles that the credential brings, with those they include. */
  readonly roles?: readonly string[]
  /**
   * Id of what is asked for, where the request may come again though its first answer was lost (`Idempotency-Key`): whoever
   * finds it done under this id does not do it twice.
   */
  readonly operation?: string
}
