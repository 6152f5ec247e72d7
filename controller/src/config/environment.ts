import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

export type Environment = Readonly<Record<string, string | undefined>>

/** The one place that reads the process's environment, with `.env` of its folder behind it; everything else gets it handed in. */
export function processEnvironment(cwd: string = process.cwd()): Environment {
  return environmentWith(process.env, join(cwd, '.env'))
}

/** What the environment says comes before what the file says; a file that cannot be read says nothing. */
export function environmentWith(environment: Environment, file: string): Environment {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return Object.freeze({ ...environment })
  }
  const filled = Object.entries(parseEnv(text)).filter(([, value]) => value !== '')
  return Object.freeze({ ...Object.fromEntries(filled), ...environment })
}
