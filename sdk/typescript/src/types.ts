/** What the API answers, as far as an agent needs it; the whole of it is in the OpenAPI document of the server. */

/** An event of the log; one that tells of a message carries it. */
export interface BusEvent {
  readonly event_id: string
  readonly event_name: string
  /** Its number in the log; absent when it is out of the log's order. */
  readonly seq?: number
  readonly occurred_at: string
  readonly actor: string
  readonly correlation_id: string
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: Readonly<Record<string, unknown>>
  readonly message?: Message
}

export interface Message {
  readonly message_id: string
  readonly seq: number
  readonly namespace: string
  readonly from: string
  readonly to: { readonly agent?: string; readonly role?: string; readonly topic?: string }
  readonly topic: string | null
  readonly thread_id: string
  readonly reply_to: string | null
  readonly type: string
  readonly subject: string | null
  readonly body: string
  readonly data: Readonly<Record<string, unknown>>
  readonly attachments: readonly { readonly artifact_id: string; readonly name: string | null }[]
  readonly idempotency_key: string | null
  readonly correlation_id: string
  readonly sent_at: string
  readonly expires_at: string | null
  /** How often it was handed out to this agent. */
  readonly attempt?: number
}

export interface NewMessage {
  readonly to: { readonly agent: string } | { readonly role: string } | { readonly topic: string }
  readonly body: string
  readonly type?: string
  readonly subject?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly topic?: string
  readonly thread_id?: string
  readonly reply_to?: string
  readonly attachments?: readonly { readonly artifact_id: string; readonly name?: string }[]
  /** Default: one is made, so that sending again after a lost answer sends nothing twice. */
  readonly idempotency_key?: string
  readonly expires_at?: string
}

/** An instruction that comes before all work: pause, resume, terminate, redirect, constrain. */
export type Intervention = Readonly<Record<string, unknown>>

export interface Poll {
  readonly interventions: readonly Intervention[]
  readonly messages: readonly Message[]
  readonly next_cursor: string | null
}

export interface Task {
  readonly task_id: string
  readonly attempt: number
  readonly prompt: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly output_schema: Readonly<Record<string, unknown>> | null
  readonly workspace: string
  readonly deadline: string | null
  readonly correlation_id: string
}

export interface Heartbeat {
  readonly interventions: readonly Intervention[]
  /** True: finish what is under way and take nothing more. */
  readonly drain: boolean
}
