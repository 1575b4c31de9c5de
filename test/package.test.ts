import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read, root } from './support/source-tree.ts'

const run = promisify(execFile)
const manifest = JSON.parse(read('package.json')) as { version: string; files: string[] }

/** What `npm publish` would upload, unpacked in an empty project whose dependencies are those of this checkout. */
describe('the packed package', () => {
  let directory = ''
  let app = ''
  let tarballBytes = 0
  let packed: string[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sotto-package-'))
    const stage = join(directory, 'stage')
    await mkdir(stage)
    await run('tsc', ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(stage, 'dist')])
    for (const name of [...manifest.files, 'package.json', 'README.md']) {
      if (name !== 'dist') await cp(join(root, name), join(stage, name), { recursive: true })
    }
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: stage })
    const tarball = join(directory, `sotto-${manifest.version}.tgz`)
    tarballBytes = (await stat(tarball)).size

    app = join(directory, 'app')
    const modules = join(app, 'node_modules')
    await mkdir(join(modules, 'sotto'), { recursive: true })
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'sotto')])
    packed = await readdir(join(modules, 'sotto'), { recursive: true })
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (!name.startsWith('.') && name !== 'sotto') {
        await symlink(join(root, 'node_modules', name), join(modules, name))
      }
    }
    await writeFile(join(app, 'package.json'), '{ "type": "module" }')
  }, 120_000)

  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('is under 1 MB and holds no test, no source and no Node', () => {
    expect(tarballBytes).toBeLessThan(1_000_000)
    const unwanted = packed.filter((path) => /^(?:test|examples|\.ci|node|lib|node_modules)(?:\/|$)/.test(path))
    expect(unwanted).toEqual([])
    expect(packed.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([])
  })

  test.each(['sotto', 'sotto/core', 'sotto/lib', 'sotto/mesh'])('gives %s to a program', async (surface) => {
    const script = `console.log(Object.keys(await import('${surface}')).length)`
    const { stdout } = await run('node', ['--input-type=module', '--eval', script], { cwd: app })
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  test('gives types to a program in TypeScript', async () => {
    await writeFile(
      join(app, 'program.ts'),
      [
        "import { createNode } from 'sotto'",
        "import * as core from 'sotto/core'",
        "import * as lib from 'sotto/lib'",
        "import * as mesh from 'sotto/mesh'",
        "const node = await createNode({ directory: 'x' })",
        "const message = await node.send('bob', 'hello')",
        'const id: string = message.id',
        '// @ts-expect-error: an id is a text, so this fails unless the types are really there',
        'const wrong: number = message.id',
        'export { core, id, lib, mesh, wrong }',
      ].join('\n'),
    )
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--skipLibCheck',
      '--types',
      'node',
    ]
    await expect(run('tsc', [...options, 'program.ts'], { cwd: app })).resolves.toBeDefined()
  })

  test('runs as a program', async () => {
    const { stdout } = await run(join(app, 'node_modules/sotto/cli/sotto'), ['--version'], { cwd: app })
    expect(stdout.trim()).toBe(manifest.version)
  })
})
