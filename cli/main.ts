import { useCompileCache } from './compile-cache.ts'
import { nodeModule } from './node-module.ts'

// before anything is opened: LevelDB and others create files for everybody
process.umask(0o077)
useCompileCache(process.env, process.argv.slice(2))

const { runProcess } = await import('./process.ts')
await runProcess(nodeModule)
