import { fail } from '../../lib/error-catalogue.ts'
import { isOid, isValidRefName } from './ref-names.ts'

/** `[+]<source>:<target>`; both sides end in `*`, or neither does. */
export interface Refspec {
  readonly force: boolean
  readonly source: string
  readonly target: string
}

/** Throws SW_GIT_FAILED for anything but full ref names (as source of a push also an oid). Deleting (`:target`) is refused. */
export function parseRefspecs(refspecs: readonly string[]): readonly Refspec[] {
  return refspecs.map((text) => {
    const force = text.startsWith('+')
    const [source, target, ...more] = text.slice(force ? 1 : 0).split(':')
    const valid = (name: string | undefined): name is string =>
      name?.startsWith('refs/') === true && isValidRefName(name.replace(/\*$/, 'all'))
    const sourceIsOid = source !== undefined && isOid(source)
    if (
      !(valid(source) || sourceIsOid) ||
      !valid(target) ||
      more.length > 0 ||
      source.endsWith('*') !== target.endsWith('*')
    ) {
      throw fail('SW_GIT_FAILED', `"${text}" is not a refspec of full ref names`, {
        remedy: 'write it as refs/heads/a:refs/heads/a',
      })
    }
    return { force, source, target }
  })
}

/** The refs of `there` that a refspec takes, with the local name each gets. */
export function translate(
  refspec: Refspec,
  there: ReadonlyMap<string, string>,
): readonly { source: string; target: string; oid: string }[] {
  if (!refspec.source.endsWith('*')) {
    const oid = there.get(refspec.source)
    return oid === undefined ? [] : [{ source: refspec.source, target: refspec.target, oid }]
  }
  const prefix = refspec.source.slice(0, -1)
  return [...there]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, oid]) => ({ source: name, target: refspec.target.slice(0, -1) + name.slice(prefix.length), oid }))
}
