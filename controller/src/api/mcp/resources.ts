import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { API_VERSION, type KindDefinition } from '../../kinds/definition.ts'
import { packageRoot } from '../../lib/package-root.ts'

/** Something that can be read, as the lists of resources name it. */
export interface McpResource {
  readonly uri: string
  readonly name: string
  readonly description: string
  readonly mimeType: string
}

export interface McpTemplate extends Omit<McpResource, 'uri'> {
  readonly uriTemplate: string
}

const JSON_TYPE = 'application/json'
const MARKDOWN = 'text/markdown'

/** What is a list of things, each with a name of its own. */
const LISTS: Readonly<Record<string, string | undefined>> = {
  work: '/api/v1/work-items',
  artifacts: '/api/v1/artifacts',
}

/** The path of the API that answers what a URI names; null when there is none of that form. */
export function apiPathOf(uri: string, kinds: readonly KindDefinition[]): string | null {
  const [area = '', ...words] = wordsOf(uri) ?? []
  const [first, second, third, ...more] = words.map(encodeURIComponent)
  if (more.length > 0) return null
  if (area === 'objects' && first !== undefined) return objectsPath(kinds, first, second, third)
  if (area === 'runs' && third === undefined) {
    if (first === undefined) return '/api/v1/runs'
    if (second === undefined || second === 'steps' || second === 'events')
      return `/api/v1/runs/${first}${second === undefined ? '' : `/${second}`}`
  }
  if (area === 'proposals' && third === undefined) {
    if (first === undefined) return '/api/v1/proposals'
    if (second === undefined || second === 'plan')
      return `/api/v1/proposals/${first}${second === undefined ? '' : '/plan'}`
  }
  const base = LISTS[area]
  if (base !== undefined && second === undefined) return first === undefined ? base : `${base}/${first}`
  return area === 'events' && first === undefined ? '/api/v1/events' : null
}

function objectsPath(kinds: readonly KindDefinition[], plural: string, second?: string, third?: string): string | null {
  const kind = kinds.find((each) => each.plural === plural)
  const base = `/kube/apis/${API_VERSION}`
  if (kind === undefined) return null
  if (second === undefined) return `${base}/${plural}?limit=500`
  if (kind.scope === 'Cluster') return third === undefined ? `${base}/${plural}/${second}` : null
  return third === undefined
    ? `${base}/namespaces/${second}/${plural}?limit=500`
    : `${base}/namespaces/${second}/${plural}/${third}`
}

/** The name of the page a URI names, or null. */
export function pageNameOf(uri: string): string | null {
  const [area, name, ...more] = wordsOf(uri) ?? []
  return area === 'docs' && name !== undefined && more.length === 0 && /^[a-z0-9-]+$/.test(name) ? name : null
}

/** `stateward://runs/x` → runs, x. Null for another scheme, and for what cannot be decoded. */
function wordsOf(uri: string): readonly string[] | null {
  const [, rest] = /^stateward:\/\/([^?#]+)$/.exec(uri) ?? []
  if (rest === undefined) return null
  try {
    return rest.split('/').map(decodeURIComponent)
  } catch {
    return null
  }
}

/** Lists that are there to be read, for a caller who may read everything. */
export function listedResources(kinds: readonly KindDefinition[]): readonly McpResource[] {
  return [
    ...kinds.map(({ kind, plural }) => ({
      uri: `stateward://objects/${plural}`,
      name: plural,
      description: `every ${kind}, with its spec and its status`,
      mimeType: JSON_TYPE,
    })),
    { uri: 'stateward://runs', name: 'runs', description: 'runs, the newest first', mimeType: JSON_TYPE },
    {
      uri: 'stateward://work',
      name: 'work',
      description: 'tickets, topics, decisions and what else is in the work graph, the newest first',
      mimeType: JSON_TYPE,
    },
    {
      uri: 'stateward://artifacts',
      name: 'artifacts',
      description: 'artifacts of runs, the newest first',
      mimeType: JSON_TYPE,
    },
    { uri: 'stateward://events', name: 'events', description: 'the event log, the oldest first', mimeType: JSON_TYPE },
  ]
}

export const PROPOSALS: McpResource = {
  uri: 'stateward://proposals',
  name: 'proposals',
  description: 'proposed changes of the state repo, the newest first',
  mimeType: JSON_TYPE,
}

const template = (uriTemplate: string, name: string, description: string, mimeType = JSON_TYPE): McpTemplate => ({
  ...{ uriTemplate, name, description, mimeType },
})

export const READ_TEMPLATES: readonly McpTemplate[] = [
  template('stateward://objects/{plural}/{namespace}/{name}', 'object', 'an object with its spec and its status'),
  template('stateward://objects/{plural}/{name}', 'cluster-object', 'the same of a kind that has no namespaces'),
  template('stateward://runs/{run}', 'run', 'a run with its outcome'),
  template('stateward://runs/{run}/steps', 'run-steps', 'the steps of a run'),
  template('stateward://runs/{run}/events', 'run-events', 'the history of a run'),
  template('stateward://work/{item}', 'work-item', 'an item of the work graph, and how it relates to others'),
  template('stateward://artifacts/{artifact}', 'artifact', 'what is known of an artifact'),
]

export const PROPOSAL_TEMPLATES: readonly McpTemplate[] = [
  template('stateward://proposals/{proposal}', 'proposal', 'a proposal with its checks'),
  template('stateward://proposals/{proposal}/plan', 'proposal-plan', 'what merging a proposal would do'),
]

export const DOCS_TEMPLATE = template('stateward://docs/{page}', 'doc', 'a page of the guide', MARKDOWN)

/** Pages of the guide that come with this installation. */
export class Guide {
  readonly #folder: string
  #pages: Promise<readonly McpResource[]> | null = null

  constructor(folder = join(packageRoot(), 'docs', 'guide')) {
    this.#folder = folder
  }

  /** By name; their title is the first line of the page. */
  pages(): Promise<readonly McpResource[]> {
    this.#pages ??= this.#read()
    return this.#pages
  }

  /** Null when there is no such page. */
  async page(name: string): Promise<string | null> {
    const known = (await this.pages()).some((page) => page.name === name)
    return known ? readFile(join(this.#folder, `${name}.md`), 'utf8') : null
  }

  async #read(): Promise<readonly McpResource[]> {
    const files = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      // An installation may come without documents.
      if (error.code === 'ENOENT') return []
      throw error
    })
    const names = files.filter((file) => file.endsWith('.md')).map((file) => basename(file, '.md'))
    return Promise.all(
      names.sort().map(async (name) => {
        const [title = name] = (await readFile(join(this.#folder, `${name}.md`), 'utf8')).split('\n', 1)
        return { uri: `stateward://docs/${name}`, name, description: title.replace(/^#+\s*/, ''), mimeType: MARKDOWN }
      }),
    )
  }
}
