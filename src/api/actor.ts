/** Who does what is done: until there are tokens, whoever reaches the port. */
export const ACTOR = 'admin';
