import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git'

/** isomorphic-git's HTTP port over `fetch`, so that a request obeys a time limit. */
export function httpClient(signal: AbortSignal): { request(request: GitHttpRequest): Promise<GitHttpResponse> } {
  return {
    async request({ url, method = 'GET', headers = {}, body }) {
      const parts: Uint8Array[] = []
      if (body !== undefined) for await (const part of body) parts.push(part)
      const response = await fetch(url, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body: Buffer.concat(parts) }),
      })
      return {
        url: response.url,
        method,
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: chunks(response.body),
      }
    },
  }
}

async function* chunks(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void> {
  if (body !== null) yield* body
}
