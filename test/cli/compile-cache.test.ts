import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileCacheDirectory } from '../../cli/compile-cache.ts'
import { temporaryHome } from '../support/cli.ts'

test('compiled code lies in the cache directory of the user, closed to everybody else, and never in a home', async () => {
  await using scope = await temporaryHome(false)
  const umask = process.umask(0)
  const directory = compileCacheDirectory({ XDG_CACHE_HOME: scope.home, SOTTO_HOME: '/nowhere' }, 'node')
  process.umask(umask)
  expect(directory).toBe(join(scope.home, 'sotto', 'compiled', 'node'))
  expect((await stat(directory ?? '')).mode & 0o777).toBe(0o700)
  expect(compileCacheDirectory({ HOME: scope.home }, 'command')).toBe(
    join(scope.home, '.cache', 'sotto', 'compiled', 'command'),
  )
})

test('there is no cache where others can write, where somebody prepared a link, or where nothing can be made', async () => {
  await using scope = await temporaryHome(false)
  const env = { XDG_CACHE_HOME: scope.home }
  const compiled = join(scope.home, 'sotto', 'compiled')
  await mkdir(compiled, { recursive: true })
  await chmod(compiled, 0o777)
  expect(compileCacheDirectory(env, 'node')).toBeUndefined()
  await chmod(compiled, 0o700)
  expect(compileCacheDirectory(env, 'node')).toBeDefined()
  await symlink(join(compiled, 'node'), join(compiled, 'command'))
  expect(compileCacheDirectory(env, 'command')).toBeUndefined()
  await writeFile(join(scope.home, 'file'), '')
  expect(compileCacheDirectory({ XDG_CACHE_HOME: join(scope.home, 'file') }, 'node')).toBeUndefined()
})
