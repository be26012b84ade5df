// Tables of what took how long, next to what it is compared with.

/** What was measured: one row of a table. */
export interface Contender {
  readonly name: string;
  readonly seconds: readonly number[];
}

/** The most that the first may take, as a part of what the other one takes. */
export interface Goal {
  readonly of: string;
  readonly against: string;
  readonly ratio: number;
}

/** The value below which this part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Medians with the fastest and the slowest run, then each goal with what became of it. Says whether all were met. */
export function printComparison(
  title: string,
  contenders: readonly Contender[],
  goals: readonly Goal[],
): boolean {
  const median = (name: string) => quantile(contenders.find((one) => one.name === name)?.seconds ?? [], 0.5);
  const shown = (value: number) => value.toFixed(2);
  console.log(`\n${title}\n\n| | median s | fastest | slowest | runs |\n|---|---:|---:|---:|---:|`);
  for (const { name, seconds } of contenders) {
    const cells = [quantile(seconds, 0.5), Math.min(...seconds), Math.max(...seconds)].map(shown);
    console.log(`| ${name} | ${cells.join(' | ')} | ${seconds.length} |`);
  }
  console.log('\n| | ratio | goal | |\n|---|---:|---:|---|');
  const verdicts = goals.map(({ of, against, ratio }) => {
    const reached = median(of) / median(against);
    const isMet = reached <= ratio;
    console.log(`| ${of} / ${against} | ${shown(reached)} | ≤ ${ratio} | ${isMet ? 'met' : 'missed'} |`);
    return isMet;
  });
  return verdicts.every(Boolean);
}
