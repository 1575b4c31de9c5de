import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { type Ran, runCli, temporaryHome } from '../support/cli.ts'
import { ME } from '../support/fake-node.ts'
import { containing } from '../support/matchers.ts'

/** Types into the prompts of `sotto init`. */
async function init(
  home: string,
  typed: string,
): Promise<Ran & { given: string | undefined; raw: readonly boolean[] }> {
  const raw: boolean[] = []
  const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) })
  keyboard.write(typed)
  let given: string | undefined
  const ran = await runCli(['init'], {
    home,
    typed: keyboard,
    module: {
      createAccount: async ({ passphrase }) => {
        given = Buffer.from(passphrase ?? '').toString()
        return { account: ME, recoveryWords: 'a b c' }
      },
    },
  })
  return { ...ran, given, raw }
}

test('a new passphrase is typed twice, unseen', async () => {
  await using scope = await temporaryHome(false)
  const ran = await init(scope.home, 'öpen sesame\röpen sesame\r')
  expect(ran).toMatchObject({ code: 0, given: 'öpen sesame', raw: [true, false, true, false] })
  expect(ran.stdout + ran.stderr).not.toContain('sesame')
})

test('backspace takes a whole character, Ctrl-U the line', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'wrong\u0015abö\u007fc\rabc\r')).toMatchObject({ code: 0, given: 'abc' })
  expect(await init(scope.home, '\u007f\u007fa\ra\r')).toMatchObject({ code: 0, given: 'a' })
})

test('two that differ and an empty one are refused', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'one\rtwo\r')).toMatchObject({ code: 2, stderr: containing('differ') })
  expect(await init(scope.home, '\r\r')).toMatchObject({ code: 2, stderr: containing('--no-passphrase') })
})

test('Ctrl-C ends with 130 and gives the terminal back', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'abc\u0003')).toMatchObject({ code: 130, given: undefined, raw: [true, false] })
})
