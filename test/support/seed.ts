import * as fc from 'fast-check'

/** What random tests start from: `SEED=` in the environment, otherwise the time. A failure prints it. */
export const seed: number = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

fc.configureGlobal({ seed })
