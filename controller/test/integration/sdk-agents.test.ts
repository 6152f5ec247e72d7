import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { requires } from '../support/requires.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const README = readFileSync(new URL('../../../sdk/README.md', import.meta.url), 'utf8')

/** The program of a language, as it stands in the README. */
function programIn(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(README) ?? []
  if (text === undefined) throw new Error(`the README has no program in ${language}`)
  return `${text}\n`
}

const HEARTBEAT = { interval: '1s', timeout: '5s' }

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'py.yaml': agent('py', {
      runtime: { process: { command: ['python3', 'agent.py'], workdir: 'agents/py' } },
      heartbeat: HEARTBEAT,
    }),
    'agents/py/agent.py': programIn('python'),
    'sh.yaml': agent('sh', {
      runtime: { process: { command: ['sh', 'agent.sh'], workdir: 'agents/sh' } },
      heartbeat: HEARTBEAT,
    }),
    'agents/sh/agent.sh': programIn('sh'),
  })
  await here.start({ keepAgents: true })
  ada = asAda(here)
})
afterAll(() => here.end())

async function answerOf(name: string, prompt: string): Promise<unknown> {
  const { body: asked } = await ada('POST', '/api/v1/tasks', { agent: name, prompt })
  return until(`the answer of ${name}`, async () => {
    const { body } = await ada('GET', `/api/v1/tasks/${asked.task_id}`)
    expect(body.error).toBeNull()
    return body.status === 'completed' && body.output
  })
}

const missing = [requires('python3'), requires('curl')].find(({ available }) => !available)

describe.skipIf(missing !== undefined)('the agents of the README', () => {
  it('in Python, with its standard library alone, does tasks', async () => {
    expect(await answerOf('py', 'how many "words" are\nthese, ünïcode included?')).toEqual({ words: 7, attempt: 1 })
    expect(await answerOf('py', 'again')).toEqual({ words: 1, attempt: 1 })
  }, 60_000)

  it('in a shell script, with curl, does tasks', async () => {
    expect(await answerOf('sh', 'say hello, and mind the "quotes"')).toMatchObject({ greeting: 'hello from Linux' })
    expect(await answerOf('sh', 'again')).toMatchObject({ greeting: 'hello from Linux' })
  }, 60_000)

  it('stay healthy by their reports, and work on with the next server', async () => {
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    const port = new URL(here.stateward.url).port
    const pids = [...(await here.pids('Agent/default/py')), ...(await here.pids('Agent/default/sh'))]
    expect(pids).toHaveLength(2)
    for (const name of ['py', 'sh'])
      expect((await ada('GET', `/api/v1/agents/${name}/health`)).body).toMatchObject({ status: 'healthy' })
    await here.stop()
    await here.start({ port })
    for (const name of ['py', 'sh']) await answerOf(name, 'still there?')
    expect([...(await here.pids('Agent/default/py')), ...(await here.pids('Agent/default/sh'))]).toEqual(pids)
  }, 60_000)
})
