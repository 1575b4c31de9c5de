/** A straight line through points, and how sure its slope is. */
export interface Trend {
  /** Change of y for one x. */
  readonly slope: number
  /** Half the width of the interval that holds the slope with 95 %. */
  readonly margin: number
  readonly first: number
  readonly last: number
}

/**
 * Least squares. Neighbours in time resemble each other, which makes the plain interval too narrow, so it is widened by
 * what the residuals of neighbours have in common (Bartlett: as if only n·(1−r)/(1+r) points had been taken).
 */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const n = points.length
  if (n < 3) throw new TypeError('a trend needs three points')
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX
  const at = (x: number): number => meanY + slope * (x - meanX)
  const residuals = points.map(([x, y]) => y - at(x))
  const squares = residuals.reduce((sum, r) => sum + r * r, 0)
  const common = residuals.slice(1).reduce((sum, r, i) => sum + r * (residuals[i] as number), 0)
  const likeness = squares === 0 ? 0 : Math.min(0.9, Math.max(0, common / squares))
  const widening = Math.sqrt((1 + likeness) / (1 - likeness))
  return {
    slope,
    margin: 2 * Math.sqrt(squares / (n - 2) / spreadX) * widening,
    first: at(points[0]?.[0] ?? 0),
    last: at(points.at(-1)?.[0] ?? 0),
  }
}
