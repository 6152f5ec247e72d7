import { describe, expect, it } from 'vitest'
import { filesOfPatch } from './patch-files.ts'

const PATCH = `diff --git a/agents/sre.yaml b/agents/sre.yaml
index 111..222 100644
--- a/agents/sre.yaml
+++ b/agents/sre.yaml
@@ -1,3 +1,3 @@
 kind: Agent
-replicas: 1
+replicas: 2
--- not a header
diff --git a/new file.yaml b/new file.yaml
new file mode 100644
index 000..333
--- /dev/null
+++ b/new file.yaml\t
@@ -0,0 +1 @@
+x: 1
diff --git a/old.yaml b/old.yaml
deleted file mode 100644
index 333..000
--- a/old.yaml
+++ /dev/null
@@ -1 +0,0 @@
-x: 1
diff --git a/a.md b/b.md
similarity index 100%
rename from a.md
rename to b.md
`

describe('the files of a patch', () => {
  it('each have their path, what became of them, and how many lines', () => {
    expect(
      filesOfPatch(PATCH).map(({ path, change, added, removed, from }) => [path, change, added, removed, from]),
    ).toEqual([
      ['agents/sre.yaml', 'changed', 1, 2, null],
      ['new file.yaml', 'added', 1, 0, null],
      ['old.yaml', 'deleted', 0, 1, null],
      ['b.md', 'moved', 0, 0, 'a.md'],
    ])
  })

  it('keep their own part of the text, and nothing is made of nothing', () => {
    const [first, second] = filesOfPatch(PATCH)
    expect(first!.text).toContain('replicas: 2')
    expect(first!.text).not.toContain('new file')
    expect(second!.text.startsWith('diff --git a/new file.yaml')).toBe(true)
    expect(filesOfPatch('')).toEqual([])
  })
})
