/** Seconds this process spent on processors since `process.cpuUsage()` said `before`, all of its threads together. */
export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}
