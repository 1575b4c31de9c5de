import { defineConfig, type UserWorkspaceConfig } from 'vitest/config'

const config: UserWorkspaceConfig = defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // a second, as it is otherwise, passes on a busy machine before a process has started
    expect: { poll: { timeout: 20_000 } },
    // vitest would take one of two cores, and half of the time nothing is waited for but processes and disks
    maxWorkers: 2,
    reporters: ['default'],
  },
})

export default config
