/** Seconds of the machine's monotonic clock: comparable between processes of one machine. */
export function machineSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9
}
