const WHOLE = new Intl.NumberFormat('en-US')
const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

/** `12,345` */
export function whole(value: number): string {
  return WHOLE.format(value)
}

/** `12.3K` from ten thousand on. */
export function short(value: number): string {
  return Math.abs(value) < 10_000 ? WHOLE.format(value) : SHORT.format(value)
}

/** `$1,234.50`; cents and less in full where they are all there is: `$0.0042`. */
export function money(usd: number | string): string {
  const value = Number(usd)
  const small = value !== 0 && Math.abs(value) < 1
  return value.toLocaleString('en-US', {
    ...{ style: 'currency', currency: 'USD', minimumFractionDigits: 2 },
    maximumFractionDigits: small ? 4 : 2,
  })
}

/** `1.5 MiB` */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
  const at = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** at
  return `${at === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${units[at]}`
}

/** `42%` */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}
