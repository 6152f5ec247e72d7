/** What a page gets: the parts of its path, decoded. */
export interface PageProps {
  readonly params: Readonly<Record<string, string>>
}
