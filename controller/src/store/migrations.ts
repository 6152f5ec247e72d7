import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'

/** A numbered file of `controller/migrations`: `000001_init.sql`. */
export interface Migration {
  readonly version: number
  /** Name without number and ending: `init`. */
  readonly name: string
  readonly sql: string
  /** sha256 of the file. */
  readonly checksum: string
  /** Older programs cannot work on a database that has it. */
  readonly breaking: boolean
}

const FILE = /^(\d{6})_([a-z0-9_]+)\.sql$/
const HEADER = /^-- breaking: (yes|no)\n/

/** Where the files are: beside the sources, or above `dist` in the published package. */
export function migrationsDirectory(): string {
  const candidates = ['../../migrations/', '../../controller/migrations/', '../migrations/']
  for (const candidate of candidates) {
    const directory = fileURLToPath(new URL(candidate, import.meta.url))
    if (existsSync(`${directory}000001_init.sql`)) return directory
  }
  throw fail('SW_INTERNAL', 'the migrations are not part of this installation')
}

/** All migrations in order. Throws when a number is missing or twice, or a file lacks its header. */
export async function loadMigrations(directory: string = migrationsDirectory()): Promise<Migration[]> {
  const migrations: Migration[] = []
  for (const file of (await readdir(directory)).sort()) {
    const [, version, name] = FILE.exec(file) ?? []
    if (version === undefined || name === undefined) continue
    const sql = await readFile(`${directory}/${file}`, 'utf8')
    const header = HEADER.exec(sql)
    if (header === null)
      throw fail('SW_INTERNAL', `${file} does not begin with "-- breaking: yes" or "-- breaking: no"`)
    if (Number(version) !== migrations.length + 1) {
      throw fail('SW_INTERNAL', `${file} comes after ${migrations.length} migrations: numbers have no gaps`)
    }
    migrations.push({ version: Number(version), name, sql, checksum: sha256(sql), breaking: header[1] === 'yes' })
  }
  return migrations
}
