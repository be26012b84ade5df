// The part of Go's text/template (and of Sprig) that patches of a ClusterClass use. What is not supported is an
// error that names it, never a silent difference: the topology then reports TopologyReconciled=False.

import { at, isObject } from '../../core/json-fields.ts';
import { isTruthy, show, templateFunctions } from './go-template-functions.ts';

/** A template that cannot be parsed or rendered. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

type Expression =
  | { readonly type: 'literal'; readonly value: unknown }
  | { readonly type: 'path'; readonly base: Expression | 'dot' | string; readonly fields: readonly string[] }
  | { readonly type: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'output'; readonly expression: Expression; readonly assign?: string }
  | {
      readonly type: 'if' | 'range' | 'with';
      readonly condition: Expression;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

type Scope = { readonly dot: unknown; readonly variables: Map<string, unknown> };

const tokenPattern =
  /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+(?:\.\d+)?|:=|\$?(?:\.?[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*|\$|\.|[()|])/y;

/** Renders a template with `data` as its dot. @throws TemplateError */
export function renderTemplate(template: string, data: unknown): string {
  const parser = new Parser(template);
  const nodes = parser.parse();
  return renderNodes(nodes, { dot: data, variables: new Map([['$', data]]) });
}

class Parser {
  readonly #pieces: { readonly action: boolean; readonly text: string }[] = [];
  #position = 0;

  constructor(template: string) {
    // A marker `{{-` or `-}}` swallows the white space beside it.
    const actions = /\{\{(-\s)?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*?)(\s-)?\}\}/g;
    let end = 0;
    let trimNext = false;
    const addText = (text: string, trimEnd: boolean) => {
      const start = trimNext ? text.trimStart() : text;
      const kept = trimEnd ? start.trimEnd() : start;
      if (kept !== '') this.#pieces.push({ action: false, text: kept });
    };
    for (const match of template.matchAll(actions)) {
      addText(template.slice(end, match.index), match[1] !== undefined);
      const action = (match[2] ?? '').trim();
      if (!action.startsWith('/*')) this.#pieces.push({ action: true, text: action });
      trimNext = match[3] !== undefined;
      end = match.index + match[0].length;
    }
    addText(template.slice(end), false);
    if (template.slice(end).includes('{{')) throw new TemplateError('unclosed action');
  }

  parse(): readonly Node[] {
    const nodes = this.#block();
    const rest = this.#pieces[this.#position];
    if (rest) throw new TemplateError(`unexpected {{${rest.text}}}`);
    return nodes;
  }

  #block(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#position];
      if (!piece) return nodes;
      if (!piece.action) {
        nodes.push({ type: 'text', text: piece.text });
        this.#position++;
        continue;
      }
      if (/^(end|else)\b/.test(piece.text)) return nodes;
      this.#position++;
      const keyword = /^(if|range|with)\s+(.*)$/s.exec(piece.text);
      nodes.push(keyword ? this.#control(keyword[1] ?? '', keyword[2] ?? '') : output(piece.text));
    }
  }

  #control(keyword: string, condition: string): Node {
    const body = this.#block();
    const next = this.#pieces[this.#position++];
    if (!next) throw new TemplateError(`{{${keyword} ${condition}}} has no {{end}}`);
    let otherwise: readonly Node[] = [];
    const elseIf = /^else\s+(if|with)\s+(.*)$/s.exec(next.text);
    if (elseIf) {
      otherwise = [this.#control(elseIf[1] ?? '', elseIf[2] ?? '')];
    } else if (next.text === 'else') {
      otherwise = this.#block();
      if (this.#pieces[this.#position++]?.text !== 'end') throw new TemplateError('{{else}} has no {{end}}');
    }
    const type = keyword === 'if' ? 'if' : keyword === 'range' ? 'range' : 'with';
    return { type, condition: parseExpression(condition), body, otherwise };
  }
}

function output(text: string): Node {
  const assignment = /^(\$\w+)\s*:?=\s*(.*)$/s.exec(text);
  return assignment
    ? { type: 'output', assign: assignment[1] ?? '', expression: parseExpression(assignment[2] ?? '') }
    : { type: 'output', expression: parseExpression(text) };
}

function parseExpression(text: string): Expression {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  let end = 0;
  for (let match = tokenPattern.exec(text); match; match = tokenPattern.exec(text)) {
    tokens.push(match[1] ?? '');
    end = tokenPattern.lastIndex;
  }
  if (text.slice(end).trim() !== '') throw new TemplateError(`cannot read "${text.slice(end).trim()}"`);
  const [expression, next] = pipeline(tokens, 0);
  if (next !== tokens.length) throw new TemplateError(`unexpected "${tokens[next]}" in {{${text}}}`);
  return expression;
}

function pipeline(tokens: readonly string[], start: number): [Expression, number] {
  let position = start;
  let piped: Expression | undefined;
  for (;;) {
    const operands: Expression[] = [];
    let name: string | undefined;
    while (position < tokens.length && tokens[position] !== '|' && tokens[position] !== ')') {
      const token = tokens[position] ?? '';
      if (operands.length === 0 && name === undefined && /^[A-Za-z_]\w*$/.test(token) && !isConstant(token)) {
        name = token;
        position++;
      } else {
        const [operand, next] = parseOperand(tokens, position);
        operands.push(operand);
        position = next;
      }
    }
    if (piped) operands.push(piped);
    const [only] = operands;
    if (name !== undefined) piped = { type: 'call', name, arguments: operands };
    else if (only && operands.length === 1) piped = only;
    else throw new TemplateError('expected one value or a function');
    if (tokens[position] !== '|') return [piped, position];
    position++;
  }
}

function parseOperand(tokens: readonly string[], position: number): [Expression, number] {
  const token = tokens[position] ?? '';
  if (token === '(') {
    const [inner, next] = pipeline(tokens, position + 1);
    if (tokens[next] !== ')') throw new TemplateError('missing )');
    const field = tokens[next + 1];
    if (field !== undefined && /^\.\w/.test(field)) {
      return [{ type: 'path', base: inner, fields: field.slice(1).split('.') }, next + 2];
    }
    return [inner, next + 1];
  }
  if (token.startsWith('"')) return [{ type: 'literal', value: JSON.parse(token) }, position + 1];
  if (token.startsWith('`')) return [{ type: 'literal', value: token.slice(1, -1) }, position + 1];
  if (/^-?\d/.test(token)) return [{ type: 'literal', value: Number(token) }, position + 1];
  if (isConstant(token)) {
    return [{ type: 'literal', value: token === 'nil' ? undefined : token === 'true' }, position + 1];
  }
  if (token === '.') return [{ type: 'path', base: 'dot', fields: [] }, position + 1];
  if (token.startsWith('.')) {
    return [{ type: 'path', base: 'dot', fields: token.slice(1).split('.') }, position + 1];
  }
  if (token.startsWith('$')) {
    const [base = '$', ...fields] = token.split('.');
    return [{ type: 'path', base, fields }, position + 1];
  }
  if (/^[A-Za-z_]\w*$/.test(token)) return [{ type: 'call', name: token, arguments: [] }, position + 1];
  throw new TemplateError(`unexpected "${token}"`);
}

function isConstant(token: string): boolean {
  return token === 'true' || token === 'false' || token === 'nil';
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  if (node.type === 'text') return node.text;
  if (node.type === 'output') {
    const value = evaluate(node.expression, scope);
    if (node.assign === undefined) return show(value);
    scope.variables.set(node.assign, value);
    return '';
  }
  const value = evaluate(node.condition, scope);
  if (!isTruthy(value)) return renderNodes(node.otherwise, scope);
  if (node.type === 'if') return renderNodes(node.body, scope);
  if (node.type === 'with') return renderNodes(node.body, { ...scope, dot: value });
  const items = Array.isArray(value) ? value : Object.values(isObject(value) ? value : {});
  return items.map((dot: unknown) => renderNodes(node.body, { ...scope, dot })).join('');
}

function evaluate(expression: Expression, scope: Scope): unknown {
  if (expression.type === 'literal') return expression.value;
  if (expression.type === 'call') {
    const { name } = expression;
    const implementation = Object.hasOwn(templateFunctions, name) ? templateFunctions[name] : undefined;
    if (!implementation) throw new TemplateError(`function "${name}" is not simulated`);
    return implementation(...expression.arguments.map((argument) => evaluate(argument, scope)));
  }
  let value: unknown;
  if (expression.base === 'dot') {
    value = scope.dot;
  } else if (typeof expression.base === 'string') {
    if (!scope.variables.has(expression.base)) {
      throw new TemplateError(`undefined variable "${expression.base}"`);
    }
    value = scope.variables.get(expression.base);
  } else {
    value = evaluate(expression.base, scope);
  }
  for (const field of expression.fields) {
    if (value === undefined || value === null) {
      throw new TemplateError(`nil pointer evaluating interface {}.${field}`);
    }
    value = at(value, field);
  }
  return value;
}
