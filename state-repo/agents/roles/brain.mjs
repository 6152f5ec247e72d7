// A decision: each option gets the sum of its scores, each times the weight of its criterion.

export function decide({ options, weights }) {
  if (!Array.isArray(options) || options.length === 0)
    throw new Error('inputs.options has to be a list of {name, scores}')
  if (typeof weights !== 'object' || weights === null) throw new Error('inputs.weights has to be {criterion: number}')
  const criteria = Object.keys(weights)
  const ranked = options
    .map(({ name, scores = {} }) => {
      const parts = criteria.map((criterion) => ({ criterion, points: weights[criterion] * (scores[criterion] ?? 0) }))
      const missing = criteria.filter((criterion) => scores[criterion] === undefined)
      return { name, total: parts.reduce((sum, { points }) => sum + points, 0), parts, missing }
    })
    .sort((a, b) => b.total - a.total)
  const [first, second] = ranked
  const strongest = [...first.parts].sort((a, b) => b.points - a.points)[0]
  return {
    decision: first.name,
    // Nobody should take a small lead, or one that nobody scored, for a clear one.
    clear: second === undefined || (first.missing.length === 0 && first.total > second.total * 1.1),
    rationale: `${first.name} has ${first.total} points, most of them for ${strongest?.criterion ?? 'nothing'}${second === undefined ? '' : `; ${second.name} has ${second.total}`}`,
    ranked,
  }
}
