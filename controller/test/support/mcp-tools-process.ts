import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { toolServer } from './mcp-tools.ts'

/** A program that is a server of tools: `node mcp-tools-process.ts <file>`. */
serveStdio(() => toolServer(process.argv[2]!))
