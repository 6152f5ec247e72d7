import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import type { Store } from '../../src/store/store.ts'

/** The object of a blueprint, as far as rows that refer to it need it. */
export async function insertBlueprintObject(store: Store, { uid, namespace, name }: AcceptedBlueprint): Promise<void> {
  await store.engine`
    INSERT INTO objects (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels,
                         annotations, spec, spec_digest, effective_digest, origin_file, origin_document, origin_oid,
                         last_applied_revision, created_at)
    VALUES (${uid}, 'Blueprint', ${namespace}, ${name}, 'test', 1, 1, 1, '{}', '{}', '{}', '', '', '', 0, '', '', ${new Date()})`
}
