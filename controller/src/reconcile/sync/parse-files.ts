import { isLookedAt, type ParseOptions, parseFile, scanFile } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { Source, SourceFile } from '../../source/ports.ts'

/**
 * Reads files of a source: manifests are parsed; of the others, which belong to programs and people, come only those with a
 * secret in plain sight.
 */
export async function* parseFiles(
  source: Source,
  files: readonly SourceFile[],
  options: ParseOptions,
): AsyncIterable<ParsedFile> {
  const { maxFileBytes: maxBytes } = options.limits
  const [special, regular] = partition(files, ({ mode }) => mode === '120000' || mode === '160000')
  for (const file of special) if (isLookedAt(file)) yield parseFile({ ...file, size: 0, bytes: null }, options)
  const [manifests, others] = partition(regular, isLookedAt)
  for await (const { file, size, bytes } of source.read(manifests, { maxBytes })) {
    yield withIdentity(source, parseFile({ ...file, size, bytes }, options))
  }
  if (others.length === 0) return
  for await (const { file, size, bytes } of source.read(others, { maxBytes })) {
    const scanned = scanFile({ ...file, size, bytes })
    if (scanned !== null) yield scanned
  }
}

/** What the source says of who its one object is. */
export function withIdentity(source: Source, file: ParsedFile): ParsedFile {
  const identity = source.identityOf?.(file)
  if (identity == null) return file
  const resources = file.resources.map((resource) => ({ ...resource, origin: { ...resource.origin, ...identity } }))
  return { ...file, resources }
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}
