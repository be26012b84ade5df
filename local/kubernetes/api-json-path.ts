// The JSONPath that `additionalPrinterColumns` use: fields, quoted fields, indexes, `*` and `?(@.a=="b")`.
// Grammar: https://kubernetes.io/docs/reference/kubectl/jsonpath/

import { at, isObject } from './api-json.ts';

type Step = (value: unknown) => readonly unknown[];

const compiled = new Map<string, readonly Step[]>();

/** Every value that the path finds; none when a part of it is absent. */
export function evaluateJsonPath(path: string, value: unknown): readonly unknown[] {
  let steps = compiled.get(path);
  if (!steps) {
    steps = compile(path);
    compiled.set(path, steps);
  }
  let found: readonly unknown[] = [value];
  for (const step of steps) found = found.flatMap(step);
  return found.filter((item) => item !== undefined && item !== null);
}

const token =
  /\.?\[\s*\?\(\s*@((?:\.(?:\\.|[\w-])+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\s*\]|\.?\[\s*(?:'((?:\\.|[^'])*)'|"((?:\\.|[^"])*)"|(-?\d+)|(\*))\s*\]|\.((?:\\.|[^.[\]\\])+)/y;

function compile(path: string): readonly Step[] {
  const steps: Step[] = [];
  const text = path.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, '');
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) return [() => []];
    const [, filter, operator, double, single, bare, quoted, quotedToo, index, star, name] = match;
    const field = quoted ?? quotedToo ?? name;
    if (filter !== undefined) {
      const wanted = double ?? single ?? bare ?? '';
      const fields = filter
        .slice(1)
        .split(/(?<!\\)\./)
        .map(unescapeField);
      steps.push((value) =>
        children(value).filter((item) => (String(at(item, ...fields)) === wanted) === (operator === '==')),
      );
    } else if (star !== undefined || field === '*') {
      steps.push(children);
    } else if (index !== undefined) {
      steps.push((value) => (Array.isArray(value) ? [value.at(Number(index))] : []));
    } else {
      const key = unescapeField(field ?? '');
      steps.push((value) => (isObject(value) ? [value[key]] : []));
    }
  }
  return steps;
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function unescapeField(field: string): string {
  return field.replaceAll(/\\(.)/g, '$1');
}
