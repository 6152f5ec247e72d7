/** Money is counted in thousandths of a millionth of a US dollar, without fractions. */
const NANO = 1_000_000_000

/** A decimal of at most nine places, not negative: `1`, `0.000150`. */
export const USD_PATTERN = '^[0-9]{1,6}(\\.[0-9]{1,9})?$'

/** `0.00015` is 150000; the text must fit {@link USD_PATTERN}. */
export function nanoUsd(text: string): number {
  const [whole = '0', fraction = ''] = text.split('.')
  return Number(whole) * NANO + Number(fraction.padEnd(9, '0'))
}

/** 150000 is `0.00015`: no more places than are needed, at least two. */
export function usdText(nano: number): string {
  const whole = Math.floor(nano / NANO)
  const fraction = String(nano % NANO)
    .padStart(9, '0')
    .replace(/0{1,7}$/, '')
  return `${whole}.${fraction}`
}
