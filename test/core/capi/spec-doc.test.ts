import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseClusterSpec } from '../../../core/capi/cluster-spec.ts';
import { formatProblems } from '../../../core/capi/spec-problem.ts';
import { renderSpecDoc } from '../../../scripts/generate-spec-doc.ts';
import { problemsOf } from './spec-samples.ts';

const page = readFileSync('docs/spec.md', 'utf8');

function blocks(kind: string): string[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
    .filter((block) => block[1] === kind)
    .map((block) => block[2] ?? '');
}

describe('docs/spec.md', () => {
  test('has the table of the present schema (else run scripts/generate-spec-doc.ts)', () => {
    expect(renderSpecDoc(page)).toBe(page);
  });

  test('shows only specs that are valid', () => {
    expect(blocks('yaml')).toHaveLength(3);
    for (const block of blocks('yaml')) expect(problemsOf(block)).toEqual([]);
  });

  test('shows a workload spec with every field that there is', () => {
    const spec = parseClusterSpec(blocks('yaml')[1] ?? '', { file: 'docs/spec.md', expect: 'workload' });
    expect(spec.spec.deletionProtection).toBe(true);
    expect(spec.spec.target.network?.subnetIds).toHaveLength(2);
  });

  test('shows the problems of its wrong spec as they are printed', () => {
    const [wrong = ''] = blocks('yaml wrong');
    expect(blocks('text')).toEqual([`${formatProblems('workload.yaml', problemsOf(wrong))}\n`]);
  });

  test('cannot be rendered without its markers', () => {
    expect(() => renderSpecDoc('# no table')).toThrow('lacks the lines');
  });
});
