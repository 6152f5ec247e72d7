import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import type { StatewardError } from '../lib/errors.ts'
import { isRemoteAddress, loadConfig } from './load-config.ts'
import { ConfigSchema } from './schema.ts'
import { secretVariable } from './secrets.ts'

const noFile = () => null

function load(options: { env?: Record<string, string>; flags?: Record<string, unknown>; file?: string }) {
  const read = (path: string) => (path === '/home/me/.stateward/config.yaml' ? (options.file ?? null) : null)
  return loadConfig({ env: options.env ?? {}, flags: options.flags ?? {}, cwd: '/home/me', readFile: read })
}

function problemOf(options: Parameters<typeof load>[0]): string {
  try {
    load(options)
  } catch (error) {
    expect((error as StatewardError).ref).toBe('SW_CONFIG_INVALID')
    return (error as StatewardError).message
  }
  throw new Error('expected a refusal')
}

describe('loadConfig', () => {
  it('has a complete set of defaults', () => {
    const { config, origins } = load({})
    expect(config).toMatchObject({
      data: '/home/me/.stateward',
      port: 8088,
      host: ['127.0.0.1', '::1'],
      repo: null,
      ref: 'main',
      interval: '60s',
      statusInterval: '5s',
      retention: { events: '7d', artifacts: '30d', footprints: '90d' },
      artifacts: { maxBytes: 250_000_000, maxTotalBytes: 20_000_000_000 },
      deletionLimit: { percent: 20, count: 5 },
      log: { level: 'info', format: 'auto' },
    })
    expect(new Set(origins.values())).toEqual(new Set(['default']))
    const { secrets, ...values } = config
    expect(secrets).toEqual({})
    const validate = new Ajv({ strict: false }).compile(ConfigSchema)
    expect(validate(values), JSON.stringify(validate.errors)).toBe(true)
  })

  it('lets flags win over variables, variables over the file, and the file over defaults', () => {
    const file = 'port: 1\nref: from-file\nlog: {level: warn}\nkeepAgents: true\n'
    const { config, origins } = load({
      file,
      env: { STATEWARD_PORT: '2', STATEWARD_REF: 'from-env' },
      flags: { port: '3' },
    })
    expect([config.port, config.ref, config.log.level, config.keepAgents]).toEqual([3, 'from-env', 'warn', true])
    expect([origins.get('port'), origins.get('ref'), origins.get('log.level'), origins.get('path')]).toEqual([
      '--port',
      'STATEWARD_REF',
      '/home/me/.stateward/config.yaml',
      'default',
    ])
  })

  it('finds the file in the data folder that a flag or a variable names', () => {
    const seen: string[] = []
    const readFile = (path: string) => {
      seen.push(path)
      return null
    }
    loadConfig({ env: { STATEWARD_DATA: 'a' }, flags: {}, cwd: '/w', readFile })
    loadConfig({ env: { STATEWARD_DATA: 'a' }, flags: { data: '/b' }, cwd: '/w', readFile })
    expect(seen).toEqual(['/w/a/config.yaml', '/b/config.yaml'])
  })

  it('reads lists, switches and numbers from text', () => {
    const { config } = load({
      env: {
        STATEWARD_HOST: '::1, 127.0.0.1',
        STATEWARD_KEEP_AGENTS: 'yes',
        STATEWARD_NAMED_STATEMENTS: '0',
      },
    })
    expect(config.host).toEqual(['::1', '127.0.0.1'])
    expect([config.keepAgents, config.database.namedStatements]).toEqual([true, false])
  })

  it('takes a relative repo from the working folder in flags, from the data folder in the file, and leaves addresses alone', () => {
    expect(load({ flags: { repo: 'state' } }).config.repo).toBe('/home/me/state')
    expect(load({ file: 'repo: ../state' }).config.repo).toBe('/home/me/state')
    expect(load({ env: { STATEWARD_REPO: 'git@example.org:a/b.git' } }).config.repo).toBe('git@example.org:a/b.git')
    expect(isRemoteAddress('https://example.org/a.git')).toBe(true)
    expect(isRemoteAddress('C/at@x/y')).toBe(false)
  })

  it('counts an empty variable as unset', () => {
    expect(load({ env: { STATEWARD_PORT: '' } }).config.port).toBe(8088)
  })

  it('names every wrong value together with where it comes from', () => {
    const message = problemOf({
      env: { STATEWARD_LOG_FORMAT: 'prety', STATEWARD_INTERVAL: '1x' },
      flags: { port: '9x' },
    })
    expect(message).toBe(
      'port must be integer, not "9x" (from --port); ' +
        'interval must be a duration such as 30s, 5m or 1h30m, not "1x" (from STATEWARD_INTERVAL); ' +
        'log.format must be one of auto, json, pretty, not "prety" (from STATEWARD_LOG_FORMAT)',
    )
  })

  it('never repeats a secret that is wrong', () => {
    expect(problemOf({ file: 'token: [hunter2]' })).not.toContain('hunter2')
  })

  it('refuses a file with an unknown setting, with its own folder, with no map, or with broken YAML', () => {
    expect(problemOf({ file: 'prot: 1' })).toBe('prot in /home/me/.stateward/config.yaml is no setting')
    expect(problemOf({ file: 'log: {lvl: info}' })).toContain('log.lvl in')
    expect(problemOf({ file: 'data: /x' })).toContain('data cannot be set in')
    expect(problemOf({ file: '- a' })).toContain('must hold one map')
    expect(problemOf({ file: 'a: [' })).toContain('is not YAML')
    expect(problemOf({ file: 'log: info' })).toContain('log in /home/me/.stateward/config.yaml is no setting')
  })

  it('takes a file that is empty, or holds only a comment, as none', () => {
    expect(load({ file: '' }).config.port).toBe(8088)
    expect(load({ file: '# nothing yet\n' }).config.port).toBe(8088)
  })

  it('is frozen all the way down and keeps secrets apart', () => {
    const { config } = loadConfig({ env: { STATEWARD_SECRET_KEYS_OPENAI: 's' }, flags: {}, cwd: '/', readFile: noFile })
    expect(Object.isFrozen(config) && Object.isFrozen(config.host) && Object.isFrozen(config.database)).toBe(true)
    expect(config.secrets).toEqual({ [secretVariable('keys', 'openai')]: 's' })
    expect(secretVariable('my-keys', 'open.ai')).toBe('STATEWARD_SECRET_MY_KEYS_OPEN_AI')
  })
})
