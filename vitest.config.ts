import { defineConfig, type UserWorkspaceConfig } from 'vitest/config'

const config: UserWorkspaceConfig = defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default'],
  },
})

export default config
