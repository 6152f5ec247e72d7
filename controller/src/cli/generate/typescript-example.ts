import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../lib/package-root.ts'
import type { Artefact } from './artefact.ts'

const FOLDER = 'state-repo/typescript'

/** What the example of agents in TypeScript renders to, by running it as its readers do. */
export function typescriptExampleArtefacts(): Artefact[] {
  return [
    {
      path: `${FOLDER}/rendered/fleet.yaml`,
      render: async () => {
        const resolver = new URL('./resolve-constructs.ts', import.meta.url).href
        const program = join(packageRoot(), FOLDER, 'fleet.ts')
        const { stdout } = await promisify(execFile)(process.execPath, ['--import', resolver, program], {
          maxBuffer: 2 ** 24,
        })
        return stdout
      },
    },
  ]
}
