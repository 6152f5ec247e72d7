import type { Api } from './typed.ts'

/** Which methods a path has, so that a wrong method is told from a wrong path (405 with `Allow`, not 404). */
export interface KnownRoutes {
  methodsOf(path: string): readonly string[]
}

/** Call before routes are added: it listens to them being added. */
export function watchRoutes(app: Api): KnownRoutes {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url
      .split('/')
      .map((part) =>
        part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('/')
    routes.push({ pattern: new RegExp(`^${pattern}$`), methods: Array.isArray(method) ? method : [method] })
  })
  return {
    methodsOf(path) {
      const found = routes.filter((route) => route.pattern.test(path)).flatMap((route) => route.methods)
      return [...new Set(found)].sort()
    },
  }
}
