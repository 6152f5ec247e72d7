import { expect, test } from 'vitest'
import { launchSpec } from './launch-spec.ts'

test('how many there are and how they are tended is not what an instance is started with', () => {
  const runtime = { process: { command: ['node', 'x.js'] } }
  expect(
    launchSpec({ runtime, replicas: 3, description: 'words', restartPolicy: 'Never', capabilities: ['linux'] }),
  ).toEqual({
    runtime,
    capabilities: ['linux'],
  })
})
