import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { SecretProvider } from './ports.ts'
import { openSops } from './sops/open-sops.ts'

export interface SopsStoreOptions {
  readonly name: string
  /** The encrypted file; null = it has not been read from the state repo yet. */
  readonly file: () => Promise<{ readonly oid: string; readonly content: string } | null>
  /** The age identity that opens it. Throws SW_SECRET_MISSING. */
  readonly identity: () => Promise<string>
}

/** A file of the state repo that SOPS encrypted. What was opened is kept for as long as file and identity stay the same. */
export function sopsStore(options: SopsStoreOptions): SecretProvider {
  let opened: { readonly of: string; readonly secrets: ReadonlyMap<string, string> } | null = null
  const secrets = async (): Promise<ReadonlyMap<string, string>> => {
    const file = await options.file()
    if (file === null) {
      throw fail('SW_SECRET_MISSING', `${options.name} has not been read from the state repo yet`, {
        remedy: `look at it again in a moment: stateward describe secretstore`,
      })
    }
    const identity = await options.identity()
    const of = sha256(`${file.oid} ${identity}`)
    if (opened?.of !== of) opened = { of, secrets: await openSops(file.content, identity) }
    return opened.secrets
  }
  return {
    name: options.name,
    find: async ({ name, key }) => (await secrets()).get(`${name}/${key}`) ?? null,
    list: async () => [...(await secrets()).keys()].sort(),
    // Its recipients are known to the file, and a commit is reviewed.
    readOnly: 'change its file with sops, and commit it',
  }
}
