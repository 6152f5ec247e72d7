/** Leads pointers of a document that was made from another one back to where they come from. */
export class PointerMap {
  readonly #places = new Map<string, { readonly to: string; readonly tree: boolean }>()

  /** What lies under `from` lies the same way under `to`. */
  tree(from: string, to: string): void {
    this.#places.set(from, { to, tree: true })
  }

  /** `from` and everything under it comes from the one place `to`. */
  leaf(from: string, to: string): void {
    this.#places.set(from, { to, tree: false })
  }

  /** The place of the longest known beginning of a pointer; the document's root without one. */
  find(pointer: string): string {
    for (let known = pointer; ; known = known.slice(0, known.lastIndexOf('/'))) {
      const place = this.#places.get(known)
      if (place !== undefined) return place.tree ? place.to + pointer.slice(known.length) : place.to
      if (known === '') return ''
    }
  }
}
