// The bus, as a daemon sees it: register, heartbeat, pick up tasks, report them. Nothing but fetch.

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** The instance is not ours any more: another one was started, or the agent was removed. */
export class InstanceEnded extends Error {}

/** Which errors time may cure: no answer, an answer of a server that is just starting, too many requests. */
function isTemporary(status) {
  return status === null || status >= 500 || status === 408 || status === 429
}

/**
 * @param {{url: string, token: string, agent: string, namespace: string, instance: string}} identity
 * @param {(line: string) => void} log
 */
export function connect(identity, log) {
  const agentPath = `/api/v1/agents/${encodeURIComponent(identity.agent)}`
  const query = `?namespace=${encodeURIComponent(identity.namespace)}`
  const self = { instance_id: identity.instance }

  async function once(method, path, body, signal) {
    const response = await fetch(identity.url + path, {
      method,
      headers: { authorization: `Bearer ${identity.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    const text = await response.text()
    if (response.ok) return text === '' ? null : JSON.parse(text)
    const error = new Error(`${method} ${path} was answered with ${response.status}: ${text.slice(0, 500)}`)
    error.status = response.status
    throw error
  }

  /** Tries until it is answered, with growing pauses while the API is away. */
  async function send(method, path, body, signal) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(method, path, body, signal)
      } catch (error) {
        signal.throwIfAborted()
        const status = error.status ?? null
        if (status === 401 || status === 403) throw new InstanceEnded(error.message)
        if (!isTemporary(status)) throw error
        const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
        const pause = longest / 2 + Math.random() * (longest / 2)
        log(`the API is away (${error.cause?.code ?? error.message}); next try in ${Math.round(pause)} ms`)
        await sleep(pause, signal)
      }
    }
  }

  const answered = new Set()

  /** Interventions come before tasks, until they are answered. What they withhold is withheld by the bus already. */
  async function answer(interventions = []) {
    for (const { id, action, reason } of interventions) {
      if (answered.has(id)) continue
      answered.add(id)
      log(`${action}: ${reason}`)
      // Lost, it is asked again.
      await once('POST', `/api/v1/interventions/${id}/ack`, { state: 'applied' }, AbortSignal.timeout(10_000)).catch(
        (error) => error.status === 409 || answered.delete(id),
      )
    }
  }

  return {
    register: (signal) => send('POST', '/api/v1/agents/register', { ...self, protocol: 1 }, signal),
    async heartbeat(tasks, signal) {
      const status = tasks.length > 0 ? 'busy' : 'idle'
      const heard = await once('POST', `${agentPath}/heartbeat${query}`, { ...self, status, tasks }, signal)
      await answer(heard.interventions)
      return heard
    },
    /** Waits up to half a minute for a task. */
    async pickup(signal) {
      const found = await send('POST', `${agentPath}/pickup${query}`, { ...self, max: 1, wait_seconds: 30 }, signal)
      await answer(found?.interventions)
      return found?.tasks ?? []
    },
    /** Reports a result. False when the task went to somebody else in the meantime. */
    async report(task, result, signal) {
      try {
        await send('PATCH', `/api/v1/tasks/${task.task_id}`, { attempt: task.attempt, ...result }, signal)
        return true
      } catch (error) {
        if (error.status === 409 || error.status === 404) return false
        throw error
      }
    },
  }
}

export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      signal.aborted ? reject(signal.reason) : resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
