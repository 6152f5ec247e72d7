/** The part of a patch that is about one file. */
export interface FilePatch {
  readonly path: string
  /** Where it was before, when it moved. */
  readonly from: string | null
  readonly change: 'added' | 'deleted' | 'moved' | 'changed'
  readonly added: number
  readonly removed: number
  readonly text: string
}

/** A patch as git writes it, file by file. Pure. */
export function filesOfPatch(text: string): FilePatch[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map((part) => {
      const lines = part.split('\n')
      const body = lines.findIndex((line) => line.startsWith('@@'))
      const head = body === -1 ? lines : lines.slice(0, body)
      const changed = body === -1 ? [] : lines.slice(body)
      const after = pathOf(head.find((line) => line.startsWith('+++ ')))
      const before = pathOf(head.find((line) => line.startsWith('--- ')))
      const moved = head.find((line) => line.startsWith('rename to '))?.slice('rename to '.length)
      const movedFrom = head.find((line) => line.startsWith('rename from '))?.slice('rename from '.length)
      // Of a file without lines that changed only this line has the name.
      const named = / b\/(.*)$/.exec(lines[0] ?? '')?.[1] ?? ''
      return {
        path: moved ?? after ?? before ?? named,
        from: movedFrom ?? null,
        change: head.some((line) => line.startsWith('new file'))
          ? 'added'
          : head.some((line) => line.startsWith('deleted file'))
            ? 'deleted'
            : moved === undefined
              ? 'changed'
              : 'moved',
        added: changed.filter((line) => line.startsWith('+')).length,
        removed: changed.filter((line) => line.startsWith('-')).length,
        text: part.replace(/\n$/, ''),
      } as const
    })
}

/** `+++ b/agents/sre.yaml`; null for /dev/null. Names with odd letters stand in quotes, with a tab behind those with spaces. */
function pathOf(line: string | undefined): string | null {
  const path = line
    ?.slice(4)
    .replace(/\t$/, '')
    .replace(/^"(.*)"$/, '$1')
  return path === undefined || path === '/dev/null' ? null : path.replace(/^[ab]\//, '')
}
