import { createServer } from 'node:net'

async function listenOnce(host: string, port: number): Promise<number | undefined> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  server.once('error', () => resolve(undefined))
  server.listen({ host, port, ipv6Only: host === '::' }, () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
  })
  return promise
}

/** Addresses to listen on with a port that is free now: of IPv4, and of IPv6 where the machine has it. */
export async function chooseListenAddresses(): Promise<string[]> {
  const port = await listenOnce('0.0.0.0', 0)
  const port6 = (port === undefined ? undefined : await listenOnce('::', port)) ?? (await listenOnce('::', 0))
  return [
    ...(port === undefined ? [] : [`/ip4/0.0.0.0/tcp/${port}`]),
    ...(port6 === undefined ? [] : [`/ip6/::/tcp/${port6}`]),
  ]
}
