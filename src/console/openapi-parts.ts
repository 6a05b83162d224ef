/** Pieces of the OpenAPI document that several of its files use. */

export const json = (schema: object, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const problemAnswer = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});
export const answer = (name: string) => ({ $ref: `#/components/responses/${name}` });
/** What any request may be answered with. */
export const anyway = {
  400: answer('BadRequest'),
  403: answer('WrongHost'),
  408: answer('TooSlow'),
  431: answer('HeadersTooLarge'),
  500: answer('Internal'),
};
export const unavailable = problemAnswer('The log can be neither read nor written now; try again.');
