// "Did you mean": the nearest of a few known words.

/** How many single-character edits turn one word into the other; more than `limit` counts as `limit + 1`. */
export function editDistance(from: string, to: string, limit: number): number {
  // Words of very different length are never near; this also bounds the work for hostile input.
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  let beforeLast: number[] = [];
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = from[i - 1] === to[j - 1] ? 0 : 1;
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + swap);
      // Two neighbours typed in the wrong order are one slip, not two.
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      next.push(cost);
    }
    beforeLast = row;
    row = next;
  }
  return Math.min(row[to.length] ?? 0, limit + 1);
}

/** The known word that was most likely meant, or nothing when none is near. Case and `-_` count for nothing. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = simplify(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const limit = Math.max(1, Math.floor(candidate.length / 3));
    const distance = distanceTo(plain, simplify(candidate), limit);
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function distanceTo(word: string, known: string, limit: number): number {
  const distance = editDistance(word, known, limit);
  // `fluxcd` for `flux`, `instance` for `instanceType`: more of the same word, however many letters.
  const isLonger =
    Math.min(word.length, known.length) > 3 && (word.startsWith(known) || known.startsWith(word));
  return distance > limit && isLonger ? limit : distance;
}

function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}
