/**
 * Processor time of this thread, ms. For work that never waits it is what passes on a machine of one's own, and on one that
 * others use it leaves out the turns of the others.
 */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Processor time of the whole process, ms: with the threads that write to the disk and those that collect garbage. */
export function processMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
