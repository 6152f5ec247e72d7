/**
 * URLs of remotes: which ones are remote at all, and keeping the credentials they may carry off command lines and
 * out of messages.
 */

/** True for a URL (`https:`, `ssh:` …) and for scp's form `user@host:path`; `file:` URLs and paths are local. */
export function isRemoteUrl(text: string): boolean {
  if (/^file:/i.test(text)) return false
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return true
  // scp's form needs a colon before the first slash; one letter before it would be a drive.
  return /^[^/:]{2,}:(?!\/\/)/.test(text) && !text.startsWith('.')
}

/** True where isomorphic-git can talk to it. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url)
}

export interface SplitUrl {
  /** Without user and password when it is http(s). */
  readonly url: string
  readonly credentials: { readonly username: string; readonly password: string } | null
}

/** Takes user and password out of an http(s) URL; any other URL comes back as it is. */
export function splitCredentials(url: string): SplitUrl {
  if (!isHttpUrl(url) || !URL.canParse(url)) return { url, credentials: null }
  const parsed = new URL(url)
  if (parsed.username === '' && parsed.password === '') return { url, credentials: null }
  const credentials = { username: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) }
  parsed.username = ''
  parsed.password = ''
  return { url: parsed.href, credentials }
}

/** Puts user and password into an http(s) URL; other URLs have no use for them and come back as they are. */
export function withCredentials(
  url: string,
  secret: { readonly username?: string; readonly password?: string } | undefined,
): string {
  if (secret === undefined || !isHttpUrl(url)) return url
  const parsed = new URL(url)
  if (secret.username !== undefined) parsed.username = encodeURIComponent(secret.username)
  if (secret.password !== undefined) parsed.password = encodeURIComponent(secret.password)
  return parsed.href
}

/** Replaces user and password of every URL in a text. */
export function redactUrls(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s]+@/gi, '$1***@')
}
