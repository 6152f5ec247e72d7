/**
 * Scrolls so that a row is in sight, and no further than that. Rows are all as high as `rowHeight`, below `above` pixels that
 * always stand at the top. Nothing is measured on the way: a list of 10,000 rows answers a key as one of ten does.
 */
export function bringInSight(scroller: HTMLElement | null, index: number, rowHeight: number, above = 0): void {
  if (scroller === null) return
  const next = scrollTopFor(index, rowHeight, scroller.scrollTop, scroller.clientHeight - above)
  if (next !== scroller.scrollTop) scroller.scrollTop = next
}

/** Where to scroll to, in pixels, for a row to be among the `height` pixels of rows that are in sight. Pure. */
export function scrollTopFor(index: number, rowHeight: number, scrollTop: number, height: number): number {
  const top = index * rowHeight
  if (top < scrollTop) return top
  return Math.max(scrollTop, top + rowHeight - height)
}
