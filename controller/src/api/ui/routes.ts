import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import type { Api } from '../http/typed.ts'
import { plainPage } from './plain-page.ts'

export interface PageOptions {
  /** Where the built page is. */
  readonly folder: string
  /** Where `/` leads: a path below `/ui/`. */
  readonly home: string
}

/**
 * What the page may do in a browser: run its own scripts, use its own styles, speak to this server, and nothing else. No
 * inline script or style runs, so stored markup is inert even where it would be put into the page as it is.
 */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "manifest-src 'self'"],
  ...["connect-src 'self'", "worker-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
].join(';')

const NOT_BUILT = plainPage(
  'The page is not built yet',
  'Stateward itself runs. In its checkout, build the page, then load this again:',
  'npm run build:ui',
)

const HASHED = '/assets/'

/**
 * The page at `/ui/`: its files as they were built, and for every other path below the page itself, which knows what is
 * there. It holds no data, so that it needs no credential; what it shows it asks the API for.
 */
export async function addPageRoutes(app: Api, { folder, home }: PageOptions): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    serve: false,
    preCompressed: true,
    cacheControl: false,
    index: false,
    dotfiles: 'ignore',
  })
  const config = { access: 'public', isCounted: false } as const
  app.get('/', { config }, async (_request, reply) => reply.redirect(home))
  app.get('/ui', { config }, async (_request, reply) => reply.redirect('/ui/'))
  app.get<{ Params: { '*': string } }>('/ui/*', { config }, async (request, reply) => {
    reply.header('content-security-policy', POLICY)
    const path = `/${request.params['*']}`
    if (isFile(path)) return sendFile(reply, path, existsSync(join(folder, path)))
    reply.header('cache-control', 'no-cache')
    if (existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html')
    return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
  })
}

/** Files of the build have plain names with an ending; names of objects may have dots, but are deeper, or have no such ending. */
function isFile(path: string): boolean {
  return /^\/(?:assets\/)?[\w-]+(?:\.[\w-]+)*\.(?:js|css|svg|woff2|webmanifest|map|txt|png)$/.test(path)
}

function sendFile(reply: FastifyReply, path: string, exists: boolean): FastifyReply {
  // A page of a former build asks for what is not there any more: that must not be the page, and must not be kept.
  if (!exists)
    return reply.code(404).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send('gone\n')
  reply.header('cache-control', path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache')
  return reply.sendFile(path.slice(1))
}
