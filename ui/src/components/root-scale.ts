let known: number | null = null

/** How much larger than usual letters are on this screen: 1.5 on a wall display. What is placed by pixels grows with them. */
export function rootScale(): number {
  if (known === null) {
    const size = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    known = Number.isFinite(size) && size > 0 ? size / 16 : 1
    addEventListener('resize', () => (known = null), { once: true })
  }
  return known
}
