import { utf8 } from '../../lib/bytes.ts'
import { openHome } from '../../node/home.ts'

/** Runs as a process of its own: opens the home named by its argument, writes a row, says so and stays. */
const [directory] = process.argv.slice(2)
if (directory === undefined) throw new TypeError('expected a directory')
const home = await openHome(directory)
await home.store.write([{ range: 'self', key: utf8('held'), value: utf8('by another process') }])
process.stdout.write('holding\n')
setInterval(() => undefined, 60_000)
