import type { ObjectKey, Resource } from '../kinds/resource.ts'
import type { Issue } from '../lib/issue.ts'

/** What one file of a source holds. */
export interface ParsedFile {
  readonly path: string
  readonly oid: string
  readonly resources: readonly Resource[]
  readonly issues: readonly Issue[]
  /** Documents of other API groups, plain configuration, templates. */
  readonly ignored: number
  /** Objects the file declares in a document that is broken: they keep their last good revision. */
  readonly identified: readonly ObjectKey[]
  /** The file holds something of ours that cannot even be named: nothing may be taken for deleted because of it. */
  readonly unidentified: boolean
  /** Not everything in it could be read, whoever it belongs to: what was applied from it is not taken for deleted. */
  readonly unreadable?: true
  /** Every word of an unidentified file: what it may declare. Absent when not even its text can be read. */
  readonly words?: ReadonlySet<string>
}
