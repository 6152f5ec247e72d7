import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../lib/error-code.ts'

/**
 * The folders agents write to, below the data directory:
 *
 * - `instances/<instance>/`: what its shim records, and its logs; ours, not the agent's
 * - `workspaces/<agent uid>/<ordinal>/`: a replica's own folder, kept over restarts, removed with the agent
 * - `workspaces/<agent uid>/tasks/<task>.<attempt>/`: a task's, made empty before and removed after it. The attempt is in
 *   its name because the process of a former attempt may still write.
 * - `shared/<namespace>/<name>/`: what the agents of a project share; never removed by us
 */
export interface Workspaces {
  instanceFolder(instanceId: string): string
  replicaFolder(agentUid: string, ordinal: number): string
  makeReplicaFolder(agentUid: string, ordinal: number): Promise<string>
  taskFolder(agentUid: string, task: TaskAttempt): string
  makeTaskFolder(agentUid: string, task: TaskAttempt): Promise<string>
  removeTaskFolder(agentUid: string, task: TaskAttempt): Promise<void>
  makeSharedFolder(namespace: string, name: string): Promise<string>
  /** Everything an agent had, kept task folders too. */
  removeAgent(agentUid: string): Promise<void>
  /** Ids of the instances whose folder is there. */
  instanceFolders(): Promise<string[]>
  removeInstanceFolder(instanceId: string): Promise<void>
}

interface TaskAttempt {
  readonly task_id: string
  readonly attempt: number
}

export function workspacesIn(dataDir: string): Workspaces {
  const instances = join(dataDir, 'instances')
  const agent = (uid: string) => join(dataDir, 'workspaces', uid)
  const taskFolder = (uid: string, task: TaskAttempt) => join(agent(uid), 'tasks', `${task.task_id}.${task.attempt}`)
  return {
    instanceFolder: (id) => join(instances, id),
    replicaFolder: (uid, ordinal) => join(agent(uid), String(ordinal)),
    makeReplicaFolder: (uid, ordinal) => made(join(agent(uid), String(ordinal))),
    taskFolder,
    makeTaskFolder: async (uid, task) => {
      const folder = taskFolder(uid, task)
      if (await isMadeNow(folder)) return folder
      await remove(folder)
      return made(folder)
    },
    removeTaskFolder: (uid, task) => remove(taskFolder(uid, task)),
    makeSharedFolder: (namespace, name) => made(join(dataDir, 'shared', namespace, name)),
    removeAgent: (uid) => remove(agent(uid)),
    instanceFolders: async () => {
      try {
        return await readdir(instances)
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return []
        throw error
      }
    },
    removeInstanceFolder: (id) => remove(join(instances, id)),
  }
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** False when it was there before, or what it stands in is not. */
async function isMadeNow(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOENT')) return false
    throw error
  }
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}
