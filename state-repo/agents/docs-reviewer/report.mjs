/** The findings as Markdown: a summary, then a list for each file. */
export function reportOf(folder, { documents }, problems) {
  const lines = [
    '# Review of the documentation',
    '',
    `Folder: \`${folder}\``,
    '',
    `${documents.length} files, ${problems.length} problems.`,
    '',
  ]
  const byFile = Map.groupBy(problems, (problem) => problem.file)
  for (const [file, found] of byFile) {
    lines.push(`## ${file}`, '', ...found.map(({ line, rule, message }) => `- line ${line}: ${message} (${rule})`), '')
  }
  return `${lines.join('\n').trimEnd()}\n`
}
