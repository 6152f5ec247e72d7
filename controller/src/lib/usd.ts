/** Money is counted in thousandths of a millionth of a US dollar, without fractions. */
const DECIMALS = 9

/** A decimal of at most nine places, not negative: `1`, `0.000150`; what a JSON schema says of an amount. */
export const USD_PATTERN = '^[0-9]{1,6}(\\.[0-9]{1,9})?$'
const AMOUNT = /^([0-9]{1,9})(?:\.([0-9]{1,9}))?$/

/**
 * US dollars as nano-USD, without floats: `0.00015` is 150,000n. Null for what is no amount: a sign, an exponent, more than nine
 * decimals, a billion or more. A number counts as it is printed.
 */
export function parseUsd(amount: string | number): bigint | null {
  const text = typeof amount === 'number' ? amount.toFixed(DECIMALS) : amount
  // What the number says beyond nine decimals would be lost.
  if (typeof amount === 'number' && Number(text) !== amount) return null
  const [, whole, fraction = ''] = AMOUNT.exec(text) ?? []
  return whole === undefined ? null : BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(DECIMALS, '0'))
}

/** Nano-USD as a decimal text with the places it needs, at least two: `0.00015`, `1.50`. */
export function formatUsd(nano: bigint | number): string {
  const digits = nano.toString().padStart(DECIMALS + 1, '0')
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS).replace(/0{1,7}$/, '')}`
}

/** Cents, rounded to a hundredth of one, as a number for people. */
export function centsOf(nano: bigint): number {
  return Number((nano + 50_000n) / 100_000n) / 100
}
