/** The known name closest to what was written, or undefined when none is close: for "did you mean". */
export function findNearestName(written: string, known: Iterable<string>): string | undefined {
  const target = normalize(written);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(target.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(target, normalize(name), bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `httpFilters`, `http_filters` and `HTTP-Filters` are the same mistake away from each other. */
function normalize(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase();
}

/** Levenshtein distance, given up (with `limit`) once it cannot stay below the limit. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    if (Math.min(...current) >= limit) return limit;
    previous = current;
  }
  return previous[b.length] ?? limit;
}
