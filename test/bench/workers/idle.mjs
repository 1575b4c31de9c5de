// Imported before the program that is measured, in its process: tells its resident memory in bytes when it is asked.
// JavaScript for the reason of bare-start.mjs.
process.on('message', () => {
  globalThis.gc?.()
  process.send?.(process.memoryUsage.rss())
})
process.channel?.unref()
