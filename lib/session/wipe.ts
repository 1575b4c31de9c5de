import { wipe } from '../bytes.ts'
import type { Session } from './session.ts'

/**
 * Overwrites the secrets of a session that is dropped. Sessions share what did not change between them, so every older
 * state of the same session is dead after this too.
 */
export function wipeSession(session: Session): void {
  wipe(...secretsOf(session))
}

/**
 * Overwrites the secrets of `before` that `after` no longer has. `before` is dead after this: whoever may need it again
 * reads it from its row.
 */
export function wipeReplaced(before: Session, after: Session): void {
  // A score of them: to look through an array is less work than to make a set.
  const kept = secretsOf(after)
  for (const secret of secretsOf(before)) if (!kept.includes(secret)) secret.fill(0)
}

function secretsOf(session: Session): Uint8Array[] {
  const { own, opening, send, recv, past, pq } = session
  const secrets = [
    session.rootKey,
    session.nextHeaderKey,
    session.linkKey,
    own?.secret,
    send?.chainKey,
    send?.headerKey,
    recv?.chainKey,
    recv?.headerKey,
    ...past.map(({ headerKey }) => headerKey),
    ...(opening?.kind === 'asked' ? [opening.kemSeed, opening.identity.secret] : []),
    ...(pq.kind === 'offered' ? [pq.kemSeed] : []),
    ...(pq.kind === 'agreed' || pq.kind === 'answering' ? [pq.secret] : []),
  ]
  return secrets.filter((secret) => secret instanceof Uint8Array)
}
