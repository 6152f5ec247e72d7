/** A page without script and style, for when the real one cannot be there: what is so, and the command that helps. */
export function plainPage(title: string, text: string, command: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Stateward</title>
<h1>${title}</h1>
<p>${text}</p>
<pre>${command}</pre>
</html>
`
}
