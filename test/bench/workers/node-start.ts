import { createNode } from '../../../node/index.ts'
import { idleMemory } from './idle.ts'

const node = await createNode({ directory: process.argv[2] ?? '', listen: ['/ip4/127.0.0.1/tcp/0'] })
process.send?.('ready')
process.send?.(await idleMemory())
await node.stop()
process.exit()
