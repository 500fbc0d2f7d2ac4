/**
 * Whether a text is what a pattern says: `*` stands for any run of characters without a slash, `**` for any run, and
 * everything else for itself. Takes time in proportion to both lengths, whatever they hold.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.match(/\*\*|[\s\S]/g) ?? [];
  // The places in the pattern that the text read so far can stand at.
  let places = closeOver(parts, [0]);
  for (const character of text) {
    const next = places.flatMap(place => {
      const part = parts[place];
      if (part === '**' || (part === '*' && character !== '/')) return [place];
      return part !== '*' && part === character ? [place + 1] : [];
    });
    places = closeOver(parts, next);
  }
  return places.includes(parts.length);
}

/** A star may also stand for nothing. */
function closeOver(parts: readonly string[], places: readonly number[]): readonly number[] {
  const all = new Set<number>();
  for (const place of places)
    for (let at = place; !all.has(at); at++) {
      all.add(at);
      if (parts[at] !== '*' && parts[at] !== '**') break;
    }
  return [...all];
}
