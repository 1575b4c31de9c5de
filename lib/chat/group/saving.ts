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
  const { order } = group.graph
  for (; group.saved < order.length; group.saved++) {
    const operation = order[group.saved]
    if (operation !== undefined)
      save(machine, { range: 'group-op', key: operationKey(handle, group.saved), value: operation.bytes })
  }
}
