import type { Route } from '../../http/route.ts'
import { changeProject } from './change-project.ts'
import { listProjects, readProject } from './list-projects.ts'

/** Projects are declared; what becomes of them is a commit. */
export const PROJECT_ROUTES: readonly Route[] = [listProjects, readProject, changeProject]
