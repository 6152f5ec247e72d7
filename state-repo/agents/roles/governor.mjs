// Figures against limits. How far a figure is beyond its limit says what to do about it.

export function watch({ figures, limits }) {
  if (typeof figures !== 'object' || figures === null) throw new Error('inputs.figures has to be {name: number}')
  if (typeof limits !== 'object' || limits === null) throw new Error('inputs.limits has to be {name: number}')
  const breaches = Object.entries(limits).flatMap(([name, limit]) => {
    const figure = figures[name]
    if (typeof figure !== 'number' || typeof limit !== 'number') throw new Error(`${name} is no number on both sides`)
    return figure <= limit
      ? []
      : [{ name, figure, limit, times: Number((figure / limit).toFixed(2)), ...answerTo(figure / limit) }]
  })
  return {
    breaches,
    intervene: breaches.some(({ action }) => action !== 'alert'),
    summary:
      breaches.length === 0
        ? 'within all limits'
        : `${breaches.length} of ${Object.keys(limits).length} limits are passed`,
  }
}

function answerTo(times) {
  if (times >= 2) return { severity: 'critical', action: 'terminate' }
  if (times >= 1.2) return { severity: 'high', action: 'pause' }
  return { severity: 'medium', action: 'alert' }
}
