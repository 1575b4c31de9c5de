import { save, type Machine } from '../machine.ts'
import type { GroupContact } from './groups.ts'
import { encodeFellow, encodeGroup, fellowKey, operationKey } from './rows.ts'

/** What changed of a group goes into the turn's batch. */
export function saveGroup(machine: Machine, { handle, group }: GroupContact): void {
  if (group.rowChanged) save(machine, { range: 'group', key: handle, value: encodeGroup(group.gid, group.row) })
  group.rowChanged = false
  for (const fellow of group.fellows.values()) {
    if (!fellow.changed) continue
    fellow.changed = false
    save(machine, { range: 'fellow', key: fellowKey(handle, fellow.account), value: encodeFellow(fellow) })
  }
  const { log, size } = group.graph
  for (; group.saved < size; group.saved++) {
    const value = log.entries[group.saved]?.operation.bytes
    if (value !== undefined) save(machine, { range: 'group-op', key: operationKey(handle, group.saved), value })
  }
}
