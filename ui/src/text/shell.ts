import { shellWord } from '../../../controller/src/lib/shell-word.ts'

/** A command line of words; those that are null are left out. */
export function commandLine(...words: readonly (string | null)[]): string {
  return words
    .filter((word) => word !== null)
    .map(shellWord)
    .join(' ')
}

/** `-n prod`, or nothing for the namespace that is meant anyway. */
export function inNamespace(namespace: string): readonly string[] {
  return namespace === 'default' || namespace === '' ? [] : ['-n', namespace]
}
