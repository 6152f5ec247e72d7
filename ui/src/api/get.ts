import type { Reads } from './reads.ts'

export type ReadPath = keyof Reads
export type Answer<P extends ReadPath> = Reads[P]['answer']
/** Members of the path and of the query; `null` and `undefined` are left out. */
export interface Asked<P extends ReadPath> {
  readonly path?: Reads[P]['path']
  readonly query?: { readonly [K in keyof Reads[P]['query']]?: Reads[P]['query'][K] | null | undefined }
}

/** What the API said when it did not answer; `status` 0: it could not be reached. */
export class ReadError extends Error {
  readonly status: number
  readonly ref: string
  readonly remedy: string

  constructor(status: number, message: string, ref: string, remedy: string) {
    super(message)
    this.name = 'ReadError'
    this.status = status
    this.ref = ref
    this.remedy = remedy
  }
}

/** The address of something that can be read. */
function addressOf<P extends ReadPath>(path: P, { path: members, query }: Asked<P> = {}): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(String((members as Record<string, unknown> | undefined)?.[name] ?? '')),
  )
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text === '' ? filled : `${filled}?${text}`
}

/** Reads from the API: the only way the page speaks to it, beside the stream of events. Throws {@link ReadError}. */
export async function get<P extends ReadPath>(path: P, asked: Asked<P> = {}, signal?: AbortSignal): Promise<Answer<P>> {
  return (await getAddress(addressOf(path, asked), signal)) as Answer<P>
}

/** The same for addresses that are no part of the generated table: the Kubernetes API, whose answers describe themselves. */
export async function getAddress(address: string, signal?: AbortSignal): Promise<unknown> {
  const response = await open(address, 'application/json', signal)
  return response.json()
}

/** The answer itself, of something that is no JSON: a log, a text, an event stream. Throws {@link ReadError}. */
export async function open(address: string, accept: string, signal?: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(address, {
      method: 'GET',
      headers: { accept },
      credentials: 'same-origin',
      cache: 'no-store',
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ReadError(
      0,
      'Stateward cannot be reached',
      '',
      'It is tried again by itself. Is the process up? stateward doctor',
    )
  }
  if (response.ok) return response
  throw await errorOf(response)
}

interface Shape {
  readonly message?: string
  readonly error?: { readonly message?: string; readonly details?: { readonly ref?: string; readonly remedy?: string } }
}

async function errorOf(response: Response): Promise<ReadError> {
  const body = (await response.json().catch(() => ({}))) as Shape
  const message = body.error?.message ?? body.message ?? `The API answered ${response.status}`
  return new ReadError(response.status, message, body.error?.details?.ref ?? '', body.error?.details?.remedy ?? '')
}
