const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'] as const

/** What the people of a mesh are called: so many, or as given. Throws a `TypeError` when two have one name. */
export function namesOf(nodes: number | readonly string[]): readonly string[] {
  if (typeof nodes === 'number') return Array.from({ length: nodes }, (_, i) => NAMES[i] ?? `person-${i + 1}`)
  if (new Set(nodes).size !== nodes.length) throw new TypeError('the names of a mesh are different')
  return nodes
}
