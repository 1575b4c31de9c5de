import { execFile } from 'node:child_process'
import { cp, glob, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { read, root } from './support/source-tree.ts'
import { matching } from './support/matchers.ts'

const run = promisify(execFile)
const manifest = JSON.parse(read('package.json')) as { version: string; files: string[] }

/** The examples of whoever installed the package, and what each must have said before it ended. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'bot.ts': ['bot: 2 words', 'bot: four', '4 answers to 4 messages'],
  'group.ts': [
    'bob has: this is alice, this is bob, this is carol, and then there were two',
    'carol has: this is alice, this is bob, this is carol\n',
  ],
  'protocol-only.ts': [
    'bob reads: Hello Bob, this is Alice.',
    'an altered frame: (refused)',
    'bob reads: One more thing.',
  ],
  'test-with-a-mesh.ts': ['✔ the bot answers everybody'],
  'two-people.ts': ['alice reads: hello', 'safety number: '],
}

/** What `npm publish` would upload, unpacked in an empty project whose dependencies are those of this checkout. */
describe('the packed package', () => {
  let directory = ''
  let app = ''
  let tarball = ''
  let tarballBytes = 0
  let packed: string[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sotto-package-'))
    const stage = join(directory, 'stage')
    await mkdir(stage)
    await run(process.execPath, [join(root, '.ci/build.ts'), '--out', join(stage, 'dist')], { cwd: root })
    for await (const name of glob([...manifest.files, 'package.json', 'README.md'], { cwd: root })) {
      if (!name.startsWith('dist')) await cp(join(root, name), join(stage, name), { recursive: true })
    }
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: stage })
    tarball = join(directory, `sotto-${manifest.version}.tgz`)
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

  test('runs as a program, from its bundle', async () => {
    const sotto = join(app, 'node_modules/sotto/cli/sotto')
    const env = { ...process.env, SOTTO_HOME: join(app, 'home'), XDG_CACHE_HOME: join(app, 'cache') }
    const { stdout } = await run(sotto, ['--version'], { cwd: app, env })
    expect(stdout.trim()).toBe(manifest.version)
    expect(packed.filter((path) => path.startsWith('dist/cli'))).toEqual([])
    await run(sotto, ['--json', 'init', '--no-passphrase'], { cwd: app, env })
    const up = await run(sotto, ['--json', 'up', '--detach', '--listen', '/ip4/127.0.0.1/tcp/0'], { cwd: app, env })
    try {
      expect(JSON.parse(up.stdout)).toMatchObject({ ready: true, addresses: [matching(/^\/ip4\/127\.0\.0\.1\//)] })
    } finally {
      await run(sotto, ['down'], { cwd: app, env })
    }
  }, 60_000)

  test('is what package managers, bundlers and compilers expect', async () => {
    const { messages, pkg } = await publint({ pkgDir: join(app, 'node_modules/sotto'), pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
    const attw = join(root, 'node_modules/.bin/attw')
    // a module only: `require` of an old Node is not meant to find it
    await expect(run(attw, [tarball, '--profile', 'esm-only'], { cwd: app })).resolves.toBeDefined()
  }, 60_000)

  test.each(Object.entries(EXAMPLES))(
    'runs %s',
    async (name, lines) => {
      await cp(join(root, 'examples', name), join(app, name))
      const { stdout } = await run(process.execPath, [name], { cwd: app, timeout: 110_000 })
      for (const line of lines) expect(stdout).toContain(line)
    },
    120_000,
  )
})
