/** What one program may use up; each is a limit of the kernel (`ulimit`), for it and whatever it starts. */
export interface ProgramLimits {
  readonly cpuSeconds?: number
  /** Of address space; programs with a runtime of their own (node, java) want far more of it than they use. */
  readonly memoryMb?: number
  readonly fileSizeMb?: number
  readonly openFiles?: number
  /** Processes and threads at once; only in a sandbox, where it has a count of its own. Root is not held to it by the kernel. */
  readonly processes?: number
}

const DEFAULTS = { fileSizeMb: 4096, openFiles: 4096, processes: 1024 } as const

/** The same program, started with its limits. No word of it is read by the shell that sets them. */
export function withLimits(argv: readonly string[], limits: ProgramLimits, inSandbox: boolean): readonly string[] {
  const { cpuSeconds, memoryMb } = limits
  const { fileSizeMb, openFiles, processes } = { ...DEFAULTS, ...limits }
  const set = [
    // What the shell adds of itself is nothing the program was given.
    'unset PWD OLDPWD SHLVL',
    'ulimit -c 0',
    // Blocks of 512 bytes.
    `ulimit -f ${fileSizeMb * 2048}`,
    // Where less is allowed already, that stays.
    `ulimit -n ${openFiles} 2>/dev/null || :`,
    // Of the user, who may have others outside. Shells call it by different letters.
    ...(inSandbox ? [`ulimit -p ${processes} 2>/dev/null || ulimit -u ${processes} 2>/dev/null || :`] : []),
    ...(cpuSeconds === undefined ? [] : [`ulimit -t ${cpuSeconds}`]),
    ...(memoryMb === undefined ? [] : [`ulimit -v ${memoryMb * 1024}`]),
  ]
  return ['/bin/sh', '-c', `${set.join('; ')}; exec "$@"`, 'sh', ...argv]
}
