import type { Config } from './config.ts'
import type { Decided, SettingKey, SettingValue } from './settings.ts'

/** The settings that a running node uses. What was decided when it started, and what was set since. */
export interface RunningSettings {
  /** The file is asked whether it holds what was set since. */
  list(): Promise<readonly Decided[]>
  /** It was set while the node runs. */
  set(key: SettingKey, value: SettingValue): void
}

/** `readFile` reads the configuration of the home; when it cannot, nothing of it counts. */
export function createRunningSettings(decided: readonly Decided[], readFile: () => Promise<Config>): RunningSettings {
  const since = new Map<SettingKey, SettingValue>()
  return {
    async list() {
      const file = since.size === 0 ? {} : await readFile().catch((): Config => ({}))
      return decided.map((setting) => {
        const { key } = setting
        const value = since.get(key)
        if (value === undefined) return setting
        // both are lists of texts or a single value, of which JSON makes the same text
        return { key, value, origin: JSON.stringify(file[key]) === JSON.stringify(value) ? 'file' : 'call' }
      })
    },
    set: (key, value) => void since.set(key, value),
  }
}
