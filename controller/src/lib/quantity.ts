/** Amounts as Kubernetes writes them: `2`, `500m`, `16Gi`, `100G`. */
export const QUANTITY_PATTERN = '^[0-9]{1,15}(\\.[0-9]{1,3})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$'

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
}
const QUANTITY = /^([0-9]{1,15}(?:\.[0-9]{1,3})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/

/** The plain number: cores, bytes. Throws RangeError for what is no quantity. */
export function parseQuantity(text: string): number {
  const match = QUANTITY.exec(text)
  if (match === null) throw new RangeError(`"${text}" is not a quantity such as 2, 500m or 16Gi`)
  return Number(match[1]) * FACTORS[match[2] ?? '']!
}

/** Bytes with the largest binary unit that leaves at most one digit behind the point: `15.6Gi`. */
export function formatBytes(bytes: number): string {
  for (const unit of ['Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
    const amount = bytes / FACTORS[unit]!
    if (amount >= 1) return `${Math.round(amount * 10) / 10}${unit}`
  }
  return String(Math.round(bytes))
}
