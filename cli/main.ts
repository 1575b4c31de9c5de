import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { xdgDirectory } from './home.ts'
import { nodeModule } from './node-module.ts'

// before anything is opened: LevelDB and others create files for everybody
process.umask(0o077)
// compiled code of this user, in a directory of this user: the usual place below /tmp can be prepared by others
enableCompileCache(join(xdgDirectory(process.env, 'XDG_CACHE_HOME', '.cache'), 'sotto', 'compiled'))

const { runProcess } = await import('./process.ts')
await runProcess(nodeModule)
