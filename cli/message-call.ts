import type { Message } from '../node/api.ts'
import { callRunning } from './caller.ts'
import type { Caller } from './client.ts'
import { CliError, failureOf } from './errors.ts'
import { formatMessage } from './format.ts'
import { askNames } from './names.ts'
import type { Invocation } from './invocation.ts'

/** Says where ids are from when there is no message with this one. */
export async function byId<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    const { code, message, ...more } = failureOf(error)
    if (code !== 'not-found') throw error
    throw new CliError(code, message, { ...more, cause: error, hint: 'The ids of a conversation: sotto -v log WHO' })
  }
}

/** Does something with one message of the running node, and prints what became of it. */
export async function changeMessage(
  invocation: Invocation,
  change: (caller: Caller) => Promise<Message>,
): Promise<void> {
  const { io, print, paint } = invocation
  await using caller = await callRunning(invocation)
  const message = await byId(change(caller))
  const { me, nameOf } = await askNames(caller, message.conversation, io.ended)
  print(message, formatMessage(message, { me, nameOf, paint }))
}
