const LEAST_CHARS = 16;

/** The token in the text of its file; throws an Error that says what is wrong with it. */
export function toPublishToken(text: string): string {
  const token = text.trim();
  if (token.length >= LEAST_CHARS && !/\s/.test(token)) return token;
  throw new Error(`expected one word of at least ${LEAST_CHARS} characters, e.g. from: openssl rand -hex 16`);
}
