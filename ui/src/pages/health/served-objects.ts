/** What this page reads of objects as the Kubernetes API shows them. */
export interface ListOf<T> {
  readonly items: readonly T[]
}

export interface SourceObject {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly url?: string; readonly ref?: string }
  readonly status?: {
    readonly lastAppliedRevision?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }[]
  }
}

export interface WorkerObject {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: { readonly host: string; readonly pid: number; readonly roles: readonly string[] }
  readonly status: {
    readonly phase: string
    readonly leads?: string
    readonly runs?: number
    readonly leaseSeconds?: number
  }
}
