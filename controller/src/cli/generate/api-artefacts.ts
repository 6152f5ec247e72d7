import { openApiDocument } from '../../api/openapi/document.ts'
import { ROUTES } from '../../api/routes.ts'
import { apiClient } from './api-client.ts'
import { apiPage } from './api-page.ts'
import type { Artefact } from './artefact.ts'
import { pageClient } from './page-client.ts'

/** What is made of the routes: the OpenAPI document, the types and the table of the client, the reference page. */
export function apiArtefacts(): Artefact[] {
  const document = openApiDocument(ROUTES)
  return [
    { path: 'docs/reference/openapi.json', render: async () => `${JSON.stringify(document, null, 2)}\n` },
    { path: 'controller/src/cli/client/operations.ts', render: async () => apiClient(document) },
    { path: 'ui/src/api/reads.ts', render: async () => pageClient(document) },
    { path: 'docs/reference/api.md', render: async () => apiPage(document) },
  ]
}
