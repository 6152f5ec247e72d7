/** How a host starts, in this order; the last one is where it stays. */
export const BOOT_PHASES = ['HardwareCheck', 'AIRuntime', 'CoreServices', 'AgentSpawn', 'Autonomy'] as const
export type BootPhase = (typeof BOOT_PHASES)[number]
