import type { NamedSecret, SecretReaders } from '../api/ports/secrets.ts'
import { keyOf } from '../kinds/resource.ts'
import { type SecretName, secretsNamedIn, secretText } from '../kinds/secret-ref.ts'
import type { Core } from './core.ts'

/** What the accepted objects name, and where it is. */
export function secretReaders({ world, secrets }: Pick<Core, 'world' | 'secrets'>): SecretReaders {
  return {
    async named() {
      const named = new Map<string, { readonly secret: SecretName; readonly by: string[] }>()
      for (const object of world.objects.values()) {
        if (object.deleting) continue
        for (const secret of secretsNamedIn(world.effective(object))) {
          const path = secretText(secret)
          const known = named.get(path)
          if (known === undefined) named.set(path, { secret, by: [keyOf(object)] })
          else known.by.push(keyOf(object))
        }
      }
      const sorted = [...named].sort(([a], [b]) => (a < b ? -1 : 1))
      return await Promise.all(
        sorted.map(async ([, { secret, by }]): Promise<NamedSecret> => {
          return { ...(await secrets.check(secret)), namedBy: by.sort() }
        }),
      )
    },
    stores: () => secrets.list(),
  }
}
