import { undoDelete, undoLink, undoMove } from '../fs/change.ts'
import { undoMake } from '../fs/folders.ts'
import { undoWrite } from '../fs/write.ts'
import { undoCommit } from '../git/commit.ts'
import { undoStart } from '../process/start.ts'
import type { Undo } from './undo.ts'

/** The built-in tools whose calls can be taken back. */
const UNDOERS: Readonly<Record<string, Undo>> = {
  'fs.write': undoWrite,
  'fs.delete': undoDelete,
  'fs.move': undoMove,
  'fs.symlink': undoLink,
  'fs.mkdir': undoMake,
  'git.commit': undoCommit,
  'process.start': undoStart,
}

export function undoerOf(tool: string): Undo | null {
  return Object.hasOwn(UNDOERS, tool) ? UNDOERS[tool]! : null
}
