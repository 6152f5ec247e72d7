import { runProgram } from './cli/program.ts'
import { processTerminal } from './cli/terminal.ts'

// `exitCode` and not `exit()`: what was written to a pipe is written to its end first.
process.exitCode = await runProgram(process.argv.slice(2), processTerminal())
