/**
 * What every answer tells browsers: nothing may frame it, nothing foreign is loaded by it, its type is what it says. Plain
 * data, since it is the same for every request. No `Strict-Transport-Security`: that is for who terminates TLS to say.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self';frame-ancestors 'none';form-action 'none';base-uri 'none';object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
