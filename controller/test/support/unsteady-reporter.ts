import type { Reporter, TestModule } from 'vitest/node'

/** Names, last of all, the tests that passed only when they were tried again: each of them is a bug of the test or of what it tests. */
export class UnsteadyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const unsteady = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => test.diagnostic()?.flaky === true)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    )
    if (unsteady.length === 0) return
    process.stdout.write(
      `\npassed only when tried again, ${unsteady.length}:\n${unsteady.map((name) => `  ${name}\n`).join('')}`,
    )
  }
}
