import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/**
 * Builds the page into `ui/dist`, with each file compressed beside it, unless what it is made of is what it was made of the
 * last time. Does nothing where the tools to build it are not installed: the published package has it built.
 */
const ROOT = import.meta.dirname
const DIST = join(ROOT, 'dist')
const SEAL = join(DIST, '.built-from')
const SHARED = ['../sdk/typescript/src/**/*.ts', '../controller/src/lib/shell-word.ts']
const COMPRESSED = /\.(?:js|css|html|svg|webmanifest)$/

/** What the page is made of: sources, those it shares with the program, and the versions of libraries. */
async function sourceHash(): Promise<string> {
  const hash = createHash('sha256')
  const paths: string[] = []
  for await (const path of glob(['{src,public}/**/*.*', ...SHARED], { cwd: ROOT })) {
    if (!/\.test\.tsx?$/.test(path)) paths.push(path)
  }
  for (const path of [...paths.sort(), 'index.html', 'vite.config.ts', 'build.ts', '../package-lock.json']) {
    if (existsSync(join(ROOT, path))) hash.update(`${path}\0`).update(await readFile(join(ROOT, path)))
  }
  return hash.digest('hex')
}

async function isBuiltFrom(hash: string): Promise<boolean> {
  return existsSync(SEAL) && (await readFile(SEAL, 'utf8')) === hash
}

async function compressAll(): Promise<void> {
  const brotli = promisify(brotliCompress)
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }
  const work: Promise<void>[] = []
  for await (const path of glob('**/*.*', { cwd: DIST })) {
    if (!COMPRESSED.test(path)) continue
    const bytes = await readFile(join(DIST, path))
    work.push(brotli(bytes, options).then((small) => writeFile(join(DIST, `${path}.br`), small)))
    work.push(promisify(gzip)(bytes, { level: 9 }).then((small) => writeFile(join(DIST, `${path}.gz`), small)))
  }
  await Promise.all(work)
}

async function loadVite(): Promise<typeof import('vite') | null> {
  try {
    return await import('vite')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

const hash = await sourceHash()
if (!(await isBuiltFrom(hash))) {
  const vite = await loadVite()
  if (vite !== null) {
    // Whoever builds it may be a test: what is built is what people get all the same.
    // biome-ignore lint/style/noProcessEnv: libraries of the build read it there
    process.env['NODE_ENV'] = 'production'
    await vite.build({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' })
    await compressAll()
    await writeFile(SEAL, hash)
  }
}
