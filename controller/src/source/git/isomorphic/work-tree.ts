import fs from 'node:fs'
import git from 'isomorphic-git'

/** A new repository with a work tree, or a bare one; its first branch will be `main`. */
export async function initRepository(directory: string, gitDir: string, bare: boolean): Promise<void> {
  await git.init({ fs, dir: directory, gitdir: gitDir, bare, defaultBranch: 'main' })
}

/** The branch HEAD names, also before its first commit; null when HEAD names a commit. */
export async function currentBranch(gitDir: string): Promise<string | null> {
  return (await git.currentBranch({ fs, gitdir: gitDir })) || null
}

/** Writes the files of a branch into the work tree, and the index with them. What stands in their place is overwritten. */
export async function checkOut(directory: string, branch: string): Promise<void> {
  await git.checkout({ fs, dir: directory, ref: branch, force: true })
}
