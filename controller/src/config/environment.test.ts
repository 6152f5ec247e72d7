import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentWith } from './environment.ts'

test('a file fills what the environment does not say, and an empty line of it says nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-env-'))
  try {
    const file = join(folder, '.env')
    writeFileSync(file, '# words\nOPENAI_API_KEY="from the file"\nANTHROPIC_API_KEY=\nHOME=elsewhere\n')
    const found = environmentWith({ HOME: '/home/me' }, file)
    expect(found).toEqual({ HOME: '/home/me', OPENAI_API_KEY: 'from the file' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without a file the environment is as it is', () => {
  expect(environmentWith({ A: 'b' }, '/nowhere/.env')).toEqual({ A: 'b' })
})
