import type { ObjectKey } from '../../kinds/resource.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { Source } from '../../source/ports.ts'

/**
 * The oids of the files and directories that objects name (`workdir`), at the tree that was read last. The planner is
 * pure and asks here; a change below a directory changes the directory's oid.
 */
export class FileOids {
  readonly #source: Source
  #oids = new Map<string, string | null>()

  constructor(source: Source) {
    this.#source = source
  }

  get(path: string): string | null {
    return this.#oids.get(path) ?? null
  }

  /** Looks the named paths up in a tree; of some objects where they are given. */
  async load(desired: DesiredState, tree: string, of?: Iterable<ObjectKey>): Promise<void> {
    const oids = new Map<string, string | null>()
    for (const path of of === undefined ? desired.filePaths() : desired.filePathsOf(of))
      oids.set(path, (await this.#source.oidOf(tree, path))?.oid ?? null)
    this.#oids = oids
  }
}
