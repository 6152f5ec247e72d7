import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

interface Requirement {
  /** null when it is there; else what is wrong. */
  readonly missing: () => string | null
  readonly debianPackage: string
}

/** Servers and programs that tests run for real, and that `npm ci` does not bring. */
const REQUIREMENTS = {
  git: { missing: () => gitTooOld(), debianPackage: 'git' },
  'git-http': {
    missing: () => gitTooOld() ?? (hasHttpBackend() ? null : 'git has no http-backend'),
    debianPackage: 'git',
  },
  ssh: { missing: () => (runs('ssh', '-V') ? null : 'there is no ssh client'), debianPackage: 'openssh-client' },
  sshd: {
    missing: () => (runs('/usr/sbin/sshd', '-?') ? null : 'there is no /usr/sbin/sshd'),
    debianPackage: 'openssh-server',
  },
  bubblewrap: {
    missing: () => (runs('bwrap', '--version') ? null : 'there is no bwrap'),
    debianPackage: 'bubblewrap',
  },
  curl: { missing: () => (runs('curl', '--version') ? null : 'there is no curl'), debianPackage: 'curl' },
  python3: { missing: () => (runs('python3', '--version') ? null : 'there is no python3'), debianPackage: 'python3' },
  kubectl: {
    missing: () => (runs('kubectl', 'version', '--client') ? null : 'there is no kubectl'),
    debianPackage: 'kubernetes-client',
  },
  chromium: {
    missing: () => (runs('chromium', '--version') ? null : 'there is no chromium'),
    debianPackage: 'chromium',
  },
} as const satisfies Record<string, Requirement>

export type RequirementName = keyof typeof REQUIREMENTS

export interface Availability {
  readonly available: boolean
  /** Why not; empty when available. Belongs into the name of the test that is skipped. */
  readonly reason: string
}

const asked = new Map<RequirementName, Availability>()

/**
 * Whether this machine can run a test that needs `name`: `it.skipIf(!requires('kubectl').available)`. What is missing is
 * installed with apt in CI, or when STATEWARD_TEST_INSTALL is set, as far as that is allowed. In CI it throws when it is
 * still missing, so that no test is skipped there without anyone noticing.
 */
export function requires(name: RequirementName): Availability {
  const known = asked.get(name)
  if (known !== undefined) return known
  const found = look(name)
  if (!found.available && isSet('CI')) throw new Error(`this test needs ${name}: ${found.reason}`)
  asked.set(name, found)
  return found
}

function look(name: RequirementName): Availability {
  const requirement: Requirement = REQUIREMENTS[name]
  let reason = requirement.missing()
  if (reason === null) return { available: true, reason: '' }
  if (isSet('CI') || isSet('STATEWARD_TEST_INSTALL')) {
    const failure = install(requirement.debianPackage)
    reason = requirement.missing()
    if (reason === null) return { available: true, reason: '' }
    if (failure !== null) reason = `${reason}; ${failure}`
  }
  return { available: false, reason: `${reason} (Debian: apt-get install ${requirement.debianPackage})` }
}

/** Waits for other test files that install at the same time. Returns what went wrong. */
function install(debianPackage: string): string | null {
  if (process.getuid?.() !== 0) return 'only root may install it'
  const install = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', debianPackage]
  let result = apt(install)
  if (result.status !== 0 && apt(['update']).status === 0) result = apt(install)
  if (result.error !== undefined) return `apt-get did not start: ${result.error.message}`
  return result.status === 0 ? null : `apt-get failed: ${result.stderr.trim()}`
}

function apt(args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('apt-get', args, {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}

/** Whether a program starts at all; what it answers does not matter. */
function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).error === undefined
}

function hasHttpBackend(): boolean {
  const { stdout } = spawnSync('git', ['--exec-path'], { encoding: 'utf8' })
  return existsSync(join(stdout.trim(), 'git-http-backend'))
}

function gitTooOld(): string | null {
  const { error, stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' })
  if (error !== undefined) return 'there is no git'
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout) ?? []
  const recent = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)
  return recent ? null : `${stdout.trim()} is older than 2.38`
}

function isSet(variable: string): boolean {
  return (process.env[variable] ?? '') !== ''
}
