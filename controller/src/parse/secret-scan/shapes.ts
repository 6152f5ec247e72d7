/** One shape of a secret, with a name for people. */
export interface SecretShape {
  readonly name: string
  /** Global. Where it has a group, the group is the secret. */
  readonly pattern: RegExp
}

/**
 * Shapes the kept rule set lacks. Each is a prefix that only its issuer uses, or a format nothing else has, with the
 * length its issuer gives it: a text that fits is that secret, not a guess.
 */
export const SHAPES: readonly SecretShape[] = [
  { name: 'Stateward token', pattern: /\bsw[ahjklu]_[0-9A-Za-z]{40,}\b/g },
  { name: 'age secret key', pattern: /\bAGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58,}/g },
  {
    name: 'private key',
    pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\\nr"'|>-]{0,40}[A-Za-z0-9+/=]{40,}/g,
  },
  { name: 'Stripe key', pattern: /\b[sr]k_(?:live|test)_[0-9A-Za-z]{24,}\b/g },
  { name: 'Google API key', pattern: /\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/g },
  { name: 'Google OAuth client secret', pattern: /\bGOCSPX-[0-9A-Za-z_-]{28}(?![0-9A-Za-z_-])/g },
  { name: 'DigitalOcean token', pattern: /\bdo[opr]_v1_[0-9a-f]{64}\b/g },
  { name: 'PyPI token', pattern: /\bpypi-AgE[0-9A-Za-z_-]{50,}/g },
  { name: 'Azure storage key', pattern: /\bAccountKey=([A-Za-z0-9+/]{86}==)/g },
  { name: 'Telegram bot token', pattern: /\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}(?![0-9A-Za-z_-])/g },
]
