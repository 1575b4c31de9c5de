/**
 * Processor time of this thread, ms. For work that never waits it is what passes on a machine of one's own, and on one that
 * others use it leaves out the turns of the others.
 */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
