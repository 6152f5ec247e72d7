import { describe, expect, test } from 'vitest'
import { environmentOf, type InstanceEnvironment } from './environment.ts'

const base: InstanceEnvironment = {
  inherited: { PATH: '/usr/bin:/bin' },
  nodeFolder: '/opt/node/bin',
  url: 'http://127.0.0.1:8088',
  token: 'swa_x',
  agent: 'sre',
  namespace: 'default',
  instanceId: 'i1',
  workspace: '/w',
  files: null,
  shared: null,
  databaseUrl: null,
  declared: {},
}

describe('the environment of an agent', () => {
  test('holds what the protocol names and nothing else', () => {
    expect(environmentOf(base)).toEqual({
      PATH: '/opt/node/bin:/usr/bin:/bin',
      HOME: '/w',
      STATEWARD_URL: 'http://127.0.0.1:8088',
      STATEWARD_TOKEN: 'swa_x',
      STATEWARD_AGENT: 'sre',
      STATEWARD_NAMESPACE: 'default',
      STATEWARD_INSTANCE: 'i1',
      STATEWARD_WORKSPACE: '/w',
      STATEWARD_GIT_URL: 'http://127.0.0.1:8088/git/state.git',
      GIT_CONFIG_COUNT: '3',
      GIT_CONFIG_KEY_0: 'http.http://127.0.0.1:8088/git/state.git.extraHeader',
      GIT_CONFIG_VALUE_0: 'Authorization: Bearer swa_x',
      GIT_CONFIG_KEY_1: 'user.name',
      GIT_CONFIG_VALUE_1: 'agent:default/sre',
      GIT_CONFIG_KEY_2: 'user.email',
      GIT_CONFIG_VALUE_2: 'controller@stateward.dev',
    })
  })

  test('takes language, time zone and temporary folder over when they are set', () => {
    const environment = environmentOf({ ...base, inherited: { PATH: '', LANG: 'C.UTF-8', TZ: 'UTC', TMPDIR: '/t' } })
    expect(environment).toMatchObject({ PATH: '/opt/node/bin', LANG: 'C.UTF-8', TZ: 'UTC', TMPDIR: '/t' })
  })

  test('shows the files and the shared folder only when there are some', () => {
    const environment = environmentOf({ ...base, files: '/trees/t', shared: '/shared' })
    expect(environment).toMatchObject({ STATEWARD_FILES: '/trees/t', STATEWARD_SHARED: '/shared' })
  })

  test('a declared variable replaces an inherited one and never one of ours', () => {
    const environment = environmentOf({ ...base, declared: { HOME: '/h', STATEWARD_TOKEN: 'forged' } })
    expect(environment).toMatchObject({ HOME: '/h', STATEWARD_TOKEN: 'swa_x' })
  })
})
