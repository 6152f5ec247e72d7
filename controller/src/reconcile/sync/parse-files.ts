import { isLookedAt, type ParseOptions, parseFile } from '../../parse/parse-file.ts'
import type { ParsedFile } from '../../parse/parsed-file.ts'
import type { Source, SourceFile } from '../../source/ports.ts'

/** Reads and parses files of a source, in the order given; files that cannot be manifests are left out. */
export async function* parseFiles(
  source: Source,
  files: readonly SourceFile[],
  options: ParseOptions,
): AsyncIterable<ParsedFile> {
  const manifests = files.filter(isLookedAt)
  const special = manifests.filter((file) => file.mode === '120000' || file.mode === '160000')
  for (const file of special) yield parseFile({ ...file, size: 0, bytes: null }, options)
  const regular = manifests.filter((file) => !special.includes(file))
  for await (const { file, size, bytes } of source.read(regular, { maxBytes: options.limits.maxFileBytes })) {
    yield parseFile({ ...file, size, bytes }, options)
  }
}
