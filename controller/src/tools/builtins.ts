import type { JsonObject } from '../lib/json.ts'
import { artifactPut } from './artifacts/put.ts'
import { blackboardGet, blackboardSet } from './blackboard/blackboard.ts'
import { containerExec } from './container/exec.ts'
import { blueprintsPromote, blueprintsValidate, draftsSave } from './drafts/drafts.ts'
import { emailSend } from './email/send.ts'
import { fsDelete, fsMove, fsSymlink } from './fs/change.ts'
import { fsList, fsMkdir, fsStat } from './fs/folders.ts'
import { fsRead } from './fs/read.ts'
import { fsWrite } from './fs/write.ts'
import { gitRepoClone } from './git/clone.ts'
import { gitCommit } from './git/commit.ts'
import { gitCheckout, gitDiff, gitLog, gitRepoInit } from './git/repository.ts'
import { httpCall } from './http/call.ts'
import { jsonTransform } from './json/transform.ts'
import { llmInvoke } from './llm/invoke.ts'
import { netCheckPort } from './net/check-port.ts'
import { pkgInstall, pkgSearch } from './pkg/packages.ts'
import { processSignal, processStop } from './process/end.ts'
import { processList, processLogs, processStatus, processWait } from './process/look.ts'
import { processRun } from './process/run.ts'
import { processStart } from './process/start.ts'
import { secretPut } from './secret/put.ts'
import { secretGet, secretList } from './secret/secrets.ts'
import { sshRun } from './ssh/run.ts'
import type { BuiltinTool } from './tool.ts'
import { toolUndo } from './undo/undo-tool.ts'
import { webhookSend } from './webhook/send.ts'

/** The tools that are part of Stateward. */
export const BUILTIN_TOOLS: readonly BuiltinTool[] = [
  artifactPut,
  blackboardGet,
  blackboardSet,
  blueprintsPromote,
  blueprintsValidate,
  containerExec,
  draftsSave,
  emailSend,
  fsDelete,
  fsList,
  fsMkdir,
  fsMove,
  fsRead,
  fsStat,
  fsSymlink,
  fsWrite,
  gitCheckout,
  gitCommit,
  gitDiff,
  gitLog,
  gitRepoClone,
  gitRepoInit,
  httpCall,
  jsonTransform,
  llmInvoke,
  netCheckPort,
  pkgInstall,
  pkgSearch,
  processList,
  processLogs,
  processRun,
  processSignal,
  processStart,
  processStatus,
  processStop,
  processWait,
  secretGet,
  secretList,
  secretPut,
  sshRun,
  toolUndo,
  webhookSend,
]

const byName = new Map(
  BUILTIN_TOOLS.flatMap((tool) => [tool.name, ...tool.aliases].map((name) => [name, tool] as const)),
)

/** By name or alias. */
export function findBuiltin(name: string): BuiltinTool | null {
  return byName.get(name) ?? null
}

/** inputSchema of a built-in tool by name or alias, null when there is none: what a plan is checked against. */
export function builtinToolSchema(name: string): JsonObject | null {
  return findBuiltin(name)?.inputSchema ?? null
}

/** Risk of a built-in tool by name or alias, null when there is none. */
export function builtinToolRisk(name: string): BuiltinTool['risk'] | null {
  return findBuiltin(name)?.risk ?? null
}
