import { defineConfig } from 'vitest/config'
import { UnsteadyReporter } from './controller/test/support/unsteady-reporter.ts'

const inCi = Boolean(process.env['CI'])
// With real servers on a machine that does other things, too. What needed it is named at the end. Never in `crash`, which kills at random: what fails there once has found something.
const retry = inCi ? 1 : 0

// Four projects, by what they need: `unit` does no I/O, `integration` uses real servers, `e2e` drives the CLI as a person would, `crash` kills what runs.
export default defineConfig({
  test: {
    // CI counts what it ran from the JSON.
    reporters: inCi
      ? ['default', ['json', { outputFile: 'coverage/tests.json' }], new UnsteadyReporter()]
      : ['default'],
    coverage: {
      provider: 'v8',
      include: ['controller/src/**/*.ts'],
      exclude: ['controller/src/**/*.test.ts', 'controller/src/**/ports.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 80, statements: 80, functions: 80 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['controller/src/**/*.test.ts', 'sdk/typescript/src/**/*.test.ts', 'ui/src/**/*.test.ts'],
          environment: 'node',
          // A property that runs a thousand times takes its time where others work beside it.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['controller/test/integration/**/*.test.ts', 'controller/test/golden/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          retry,
          hookTimeout: 120_000,
          globalSetup: ['controller/test/support/global-setup.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['controller/test/e2e/**/*.test.ts'],
          environment: 'node',
          retry,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'crash',
          include: ['controller/test/crash/**/*.test.ts'],
          environment: 'node',
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          globalSetup: ['controller/test/support/global-setup.ts'],
        },
      },
    ],
  },
})
