import { startModelServer } from './model-server.ts'

/**
 * Stands in for a program that serves models: `node model-server-process.ts <port> <model> [ms until it answers]`. It speaks the
 * same wire as the programs it stands for.
 */
const [port, model = 'm', wait = '0'] = process.argv.slice(2)
await new Promise((resolve) => setTimeout(resolve, Number(wait)))
const server = await startModelServer(Number(port))
server.answer(({ body }) => ({ text: `${model} says ok to ${String(body['model'])}, ${process.pid}`, model }))
process.stdout.write(`serving ${model}\n`)
