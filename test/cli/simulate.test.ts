import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { jsonLines, type Ran, runCli, temporaryHome } from '../support/cli.ts'
import { anyNumber, anyText, having } from '../support/matchers.ts'
import { root } from '../support/source-tree.ts'

/** Two people write each other once; `spoil` is what a broken node would do. */
function story(spoil = ''): string {
  return `export default {
    name: 'a <short> story',
    people: 2,
    async play(world) {
      await world.say('alice', 'bob')
      await world.strike('crash', 'bob', 'alice')
      await world.advance(60_000)
      ${spoil}
    },
  }`
}

const LOSS = `world.mesh.history.tell({ kind: 'accepted', who: 'alice', to: 'bob', id: 'f00', text: 'gone' })`

async function simulate(
  text: string,
  ...argv: string[]
): Promise<Ran & { readonly junit: string; readonly file: string }> {
  await using scope = await temporaryHome(false)
  const file = join(scope.home, 'story.mjs')
  const out = join(scope.home, 'results.xml')
  await writeFile(file, text)
  const ran = await runCli(['mesh', 'simulate', file, '--junit', out, ...argv], { home: scope.home })
  return { ...ran, file, junit: await readFile(out, 'utf8').catch(() => '') }
}

describe('sotto mesh simulate', () => {
  test('plays seeds, sums them up, and ends with 0 when all is well', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr, junit } = await simulate(story(), '--seeds', '3', '--jobs', '1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^3 seeds passed, 0 failed: \d+ virtual hours, 9 messages in \d+ s \(/)
    expect(junit).toContain('<testsuite name="a &lt;short&gt; story" tests="3" failures="0"')
    expect(junit.match(/<testcase /g)).toHaveLength(3)
  })

  test('says a line for each seed with -v', { timeout: 120_000 }, async () => {
    const { code, stderr } = await simulate(story(), '--seeds', '2', '--jobs', '1', '-v')
    expect(code).toBe(0)
    const lines = stderr.trimEnd().split('\n')
    expect(lines.map((line) => line.replaceAll(/[\d.]+ (?=virtual|s$)/g, 'n '))).toEqual([
      'seed 1: 2 people, n virtual hours, 3 messages, 0 violations, n s',
      'seed 2: 2 people, n virtual hours, 3 messages, 0 violations, n s',
    ])
  })

  test('prints one JSON object with --json, each seed with its digest', { timeout: 120_000 }, async () => {
    const ran = await simulate(story(), '--seeds', '2', '--jobs', '1', '--from', '7', '--json')
    expect(ran.code).toBe(0)
    expect(jsonLines(ran.stdout)).toEqual([
      having({
        schemaVersion: 1,
        scenario: 'a <short> story',
        passed: 2,
        failed: 0,
        messages: 6,
        virtualMs: anyNumber,
        seeds: [having({ seed: '7', violations: [], digest: anyText }), having({ seed: '8' })],
      }),
    ])
  })

  test('names the seed that failed and how to see it, and ends with 1', { timeout: 120_000 }, async () => {
    const { code, stderr, stdout, junit, file } = await simulate(
      story(LOSS),
      '--seeds',
      '1',
      '--from',
      '5',
      '--jobs',
      '1',
    )
    expect(code).toBe(1)
    expect(stdout).toContain('0 seeds passed, 1 failed')
    expect(stderr).toContain(`seed 5 failed; see: sotto mesh simulate ${file} --seed 5`)
    expect(stderr).toContain('I1: alice to bob: "gone" was accepted and is not there')
    expect(junit).toContain('<failure message="alice to bob: &quot;gone&quot; was accepted and is not there">')
  })

  test('tells one seed as a story', { timeout: 120_000 }, async () => {
    const { code, stdout } = await simulate(story(LOSS), '--seed', '5')
    expect(code).toBe(1)
    const lines = stdout.split('\n')
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}00:00:00\.\d{3} {2}alice to bob: "canary: alice 1" is accepted/),
    )
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}00:00:00\.\d{3} {2}bob dies$/))
    expect(lines).toContain('I1: alice to bob: "gone" was accepted and is not there')
    expect(stdout).not.toContain(' write ')
    const all = await simulate(story(), '--seed', '5', '--all', '--json')
    expect(all.code).toBe(0)
    expect(all.stdout).toContain(' write bob ')
  })

  test('plays on several processes what it plays on one', { timeout: 240_000 }, async () => {
    await using scope = await temporaryHome(false)
    const file = join(scope.home, 'story.mjs')
    await writeFile(file, story())
    const digests = async (jobs: string): Promise<unknown> => {
      const argv = ['cli/main.ts', '--json', 'mesh', 'simulate', file, '--seeds', '4', '--jobs', jobs]
      const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', ...argv], { cwd: root })
      const { seeds } = JSON.parse(stdout) as { seeds: { seed: string; digest: string }[] }
      return seeds.map(({ seed, digest }) => [seed, digest])
    }
    expect(await digests('2')).toEqual(await digests('1'))
  })

  test.each([
    ['that is not there', null, 'cannot be loaded'],
    ['that is no program', 'export default {', 'cannot be loaded'],
    ['that exports nothing', 'export const name = 1', 'exports no scenario by default'],
    ['that exports something else', 'export default { name: "x", people: 3 }', 'exports no scenario by default'],
  ])('refuses a file %s', async (_what, text, message) => {
    await using scope = await temporaryHome(false)
    const file = join(scope.home, 'story.mjs')
    if (text !== null) await writeFile(file, text)
    const { code, stderr } = await runCli(['mesh', 'simulate', file], { home: scope.home })
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toContain('A scenario file says: export default scenario(')
  })
})
