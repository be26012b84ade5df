// What a piece of Petra's code names, by the type checker: the leaves of the call graph.

import path from 'node:path';
import ts from 'typescript-api';

/** The folders whose code is followed. */
export const folders = ['core', 'adapters', 'lambdas'];

const environment = 'lambdas/env.ts';

/** Set by Lambda itself; the stack may not set them. */
const ownVariables = /^(?:AWS|_X)_/;

/** The program, and what all walks need to know of it. */
export class Sources {
  readonly checker: ts.TypeChecker;
  readonly #root: string;
  readonly #ours = new Map<ts.SourceFile, boolean>();
  /** Names of ports by the symbols of their interfaces. */
  readonly #ports = new Map<ts.Symbol, string>();
  readonly #implementations = new Map<ts.Symbol, ts.ClassDeclaration[]>();

  constructor(program: ts.Program, base: string) {
    this.checker = program.getTypeChecker();
    this.#root = base;
    for (const source of program.getSourceFiles()) {
      if (!this.isOurs(source)) continue;
      ts.forEachChild(source, (node) => this.#note(node));
    }
  }

  isOurs(source: ts.SourceFile): boolean {
    const known = this.#ours.get(source);
    if (known !== undefined) return known;
    const [folder = ''] = path.relative(this.#root, source.fileName).split(path.sep);
    this.#ours.set(source, folders.includes(folder));
    return folders.includes(folder);
  }

  /** The file, relative to the root. */
  fileOf(node: ts.Node): string {
    return path.relative(this.#root, node.getSourceFile().fileName);
  }

  /** The name of the port that this declaration is the interface of. */
  portOf(declaration: ts.Node): string | undefined {
    const symbol = ts.isInterfaceDeclaration(declaration)
      ? this.checker.getSymbolAtLocation(declaration.name)
      : undefined;
    return symbol && this.#ports.get(symbol);
  }

  implementations(declaration: ts.Node): readonly ts.ClassDeclaration[] {
    const symbol = ts.isInterfaceDeclaration(declaration)
      ? this.checker.getSymbolAtLocation(declaration.name)
      : undefined;
    return (symbol && this.#implementations.get(symbol)) ?? [];
  }

  /** Whether a value of this type is a port, or an object that holds one. */
  holdsPort(type: ts.Type): boolean {
    const isPort = (one: ts.Type) => one.symbol !== undefined && this.#ports.has(one.symbol);
    if (isPort(type)) return true;
    if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return false;
    return type.getProperties().some((member) => isPort(this.checker.getTypeOfSymbol(member)));
  }

  #note(node: ts.Node): void {
    if (ts.isInterfaceDeclaration(node) && node.name.text === 'Ports') {
      for (const member of node.members) {
        const { symbol } = this.checker.getTypeAtLocation(member);
        if (member.name && symbol && symbol.flags & ts.SymbolFlags.Interface)
          this.#ports.set(symbol, member.name.getText());
      }
    }
    // What KubernetesAccess connects to.
    if (ts.isInterfaceDeclaration(node) && node.name.text === 'Kubernetes') {
      const symbol = this.checker.getSymbolAtLocation(node.name);
      if (symbol) this.#ports.set(symbol, 'kubernetes');
    }
    if (!ts.isClassDeclaration(node)) return;
    for (const clause of node.heritageClauses ?? []) {
      if (clause.token !== ts.SyntaxKind.ImplementsKeyword) continue;
      for (const { expression } of clause.types) {
        const symbol = resolved(this.checker, this.checker.getSymbolAtLocation(expression));
        if (symbol) this.#implementations.set(symbol, [...(this.#implementations.get(symbol) ?? []), node]);
      }
    }
  }
}

/** What one piece of code names: its own doing, without that of what it names. */
export interface Mentions {
  readonly declarations: ReadonlySet<ts.Declaration>;
  readonly variables: ReadonlySet<string>;
  /** Interfaces of ports that it implements by an object of its own. */
  readonly provided: ReadonlySet<ts.Declaration>;
}

/** Reads pieces of code, each once for all handlers. */
export class Reader {
  readonly #sources: Sources;
  readonly #known = new Map<ts.Node, Mentions>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  mentions(node: ts.Node): Mentions {
    const known = this.#known.get(node);
    if (known) return known;
    const declarations = new Set<ts.Declaration>();
    const variables = new Set<string>();
    const provided = new Set<ts.Declaration>();
    this.#visit(node, { declarations, variables, provided });
    const mentions = { declarations, variables, provided };
    this.#known.set(node, mentions);
    return mentions;
  }

  #visit(
    node: ts.Node,
    found: { readonly [K in keyof Mentions]: Mentions[K] extends ReadonlySet<infer T> ? Set<T> : never },
  ): void {
    if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    // A class inside a function as well as one at the top: its methods count when they are called.
    if (ts.isClassLike(node)) return;
    for (const symbol of this.#named(node)) {
      for (const declaration of resolved(this.#sources.checker, symbol)?.declarations ?? [])
        found.declarations.add(declaration);
    }
    if (ts.isCallExpression(node)) {
      this.#refuseEscapes(node);
      const variable = this.#variableIn(node);
      if (variable !== undefined) found.variables.add(variable);
    }
    if (ts.isObjectLiteralExpression(node)) {
      const wanted = this.#sources.checker.getContextualType(node)?.symbol;
      for (const declaration of wanted?.declarations ?? []) found.provided.add(declaration);
    }
    ts.forEachChild(node, (child) => this.#visit(child, found));
  }

  #named(node: ts.Node): readonly (ts.Symbol | undefined)[] {
    const { checker } = this.#sources;
    if (ts.isShorthandPropertyAssignment(node)) return [checker.getShorthandAssignmentValueSymbol(node)];
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) return [checker.getSymbolAtLocation(node)];
    // `const { launch } = machines`: the names on the left are members of the type on the right.
    if (ts.isObjectBindingPattern(node)) {
      const type = checker.getTypeAtLocation(node);
      return node.elements.map(({ propertyName, name, dotDotDotToken }) => {
        const member = propertyName ?? name;
        return dotDotDotToken || !ts.isIdentifier(member) ? undefined : type.getProperty(member.text);
      });
    }
    // `machines[name]`: any of its members.
    if (ts.isElementAccessExpression(node)) {
      const type = checker.getTypeAtLocation(node.expression);
      const { argumentExpression } = node;
      if (ts.isStringLiteralLike(argumentExpression)) return [type.getProperty(argumentExpression.text)];
      return this.#sources.holdsPort(type) ? type.getProperties() : [];
    }
    return [];
  }

  /** The variable of the environment that a call reads. */
  #variableIn(call: ts.CallExpression): string | undefined {
    const { checker } = this.#sources;
    const callee = resolved(checker, checker.getSymbolAtLocation(call.expression));
    const isReader =
      callee?.declarations?.some((declaration) => this.#sources.fileOf(declaration) === environment) ===
        true && ['requireEnv', 'optionalEnv'].includes(callee.name);
    if (!isReader || this.#sources.fileOf(call) === environment) return undefined;
    const [argument] = call.arguments;
    if (!argument || !ts.isStringLiteral(argument))
      throw this.#lost(call, 'the name of a variable is not a literal');
    return ownVariables.test(argument.text) ? undefined : argument.text;
  }

  #refuseEscapes(call: ts.CallExpression): void {
    const { checker } = this.#sources;
    for (const given of call.arguments) {
      if (!this.#sources.holdsPort(checker.getTypeAtLocation(given))) continue;
      const wanted = checker.getContextualType(given);
      const isOpen = wanted !== undefined && (wanted.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0;
      if (isOpen) throw this.#lost(given, 'a port is passed on without its type');
    }
  }

  #lost(node: ts.Node, why: string): Error {
    const { line } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart());
    return new Error(`${this.#sources.fileOf(node)}:${line + 1}: ${why}, so its calls cannot be followed`);
  }
}

/** What a name stands for, through imports. */
function resolved(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): ts.Symbol | undefined {
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}
