/** What can be read and what is answered: made of the routes by `npm run generate`. Types alone: nothing of it is in the page. */
export type * from '../../../controller/src/api/openapi/reads.ts'
