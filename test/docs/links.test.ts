import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const pages = ['.', 'docs', 'docs/decisions', 'state-machines', 'examples', 'bench', 'test', 'local', 'cdk']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)))
  .filter((file) => file.endsWith('.md'));

/** A page without its code, in which brackets are no links. */
function prose(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(file: string): ReadonlySet<string> {
  const text = readFileSync(file, 'utf8').replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  const found = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; found.has(anchor); count += 1) anchor = `${slug}-${count}`;
    found.add(anchor);
  }
  return found;
}

function deadLinks(file: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [at = '', anchor] = target.split('#');
    const linked = at === '' ? file : path.join(path.dirname(file), at);
    return !existsSync(linked) || (anchor !== undefined && !anchors(linked).has(anchor));
  });
}

describe('links between pages', () => {
  test('there are pages to look at', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'docs/runbook.md', 'state-machines/README.md']),
    );
  });

  test.each(pages)('%s links only to pages and headings that exist', (file) => {
    expect(deadLinks(file, prose(file))).toEqual([]);
  });

  test.each(['[a](absent.md)', '[a](cli.md#absent)', '[a](#absent)'])('%s would be noticed', (text) => {
    expect(deadLinks('docs/errors.md', text)).toHaveLength(1);
  });

  test.each(['[a](cli.md#which-petra)', '[a](https://example.com/absent)'])('%s is no dead link', (text) => {
    expect(deadLinks('docs/errors.md', text)).toEqual([]);
  });
});

describe.each(['README.md', 'docs/deploy.md', 'docs/security.md', 'docs/runbook.md'])('%s', (file) => {
  test('names only files that exist', () => {
    const folders = 'adapters|bench|cdk|cli|core|docs|examples|lambdas|local|scripts|state-machines|test';
    const named = [
      ...readFileSync(file, 'utf8').matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g')),
    ].map(([, name = '']) => name);
    expect(named.filter((name) => !existsSync(name))).toEqual([]);
  });
});
