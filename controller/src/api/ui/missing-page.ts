/** What stands at `/ui/` while the page has not been built: how to build it. Needs no script and no style. */
export function missingPage(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Stateward</title>
<h1>The page is not built yet</h1>
<p>Stateward itself runs. In its checkout, build the page, then load this again:</p>
<pre>npm run build:ui</pre>
<p>The API is at <a href="/openapi.json">/openapi.json</a>, and <code>stateward get agents</code> needs no page.</p>
</html>
`
}
