import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import {
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { ConnectionTarget } from './connect.ts'

/**
 * Hands messages on between standard input and output and the server's `/mcp`, unread but for what the transports themselves
 * need: whichever revision the two ends speak, they speak it with each other. Ends with the input, or at `signal`. A
 * request that the server could not be asked is answered with an error: a client never waits for nothing.
 */
export async function relayMcp({ server, token, user }: ConnectionTarget, signal: AbortSignal): Promise<void> {
  const headers: Record<string, string> = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(user === null ? {} : { 'x-stateward-user': user }),
  }
  const near = new StdioServerTransport()
  const far = new StreamableHTTPClientTransport(new URL(`${server}/mcp`), { requestInit: { headers } })
  let initialize: string | number | null = null
  const under = new Set<Promise<void>>()

  const forward = async (message: JSONRPCMessage): Promise<void> => {
    try {
      await far.send(message)
    } catch (error) {
      if (!isJSONRPCRequest(message)) return
      const text = error instanceof Error ? error.message : String(error)
      await near.send({
        jsonrpc: '2.0',
        id: message.id,
        error: { code: ProtocolErrorCode.InternalError, message: text },
      })
    }
  }
  near.onmessage = (message) => {
    if (isJSONRPCRequest(message) && message.method === 'initialize') initialize = message.id
    const sent = forward(message).finally(() => under.delete(sent))
    under.add(sent)
  }
  far.onmessage = (message) => {
    // From here on older revisions are named in a header.
    if (isJSONRPCResultResponse(message) && message.id === initialize) {
      const version = (message.result as { protocolVersion?: unknown }).protocolVersion
      if (typeof version === 'string') far.setProtocolVersion(version)
      initialize = null
    }
    void near.send(message)
  }
  const ended = new Promise<void>((resolve) => {
    near.onclose = resolve
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await far.start()
  await near.start()
  await ended
  await Promise.all(under)
  // Nobody comes back to it.
  if (far.sessionId !== undefined) await far.terminateSession().catch(() => {})
  await far.close()
  await near.close()
}
