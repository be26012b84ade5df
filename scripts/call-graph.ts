// What a handler can reach: which methods of ports, which commands of the AWS SDK, which variables of the environment.
//
// Read with the type checker, conservatively. A declaration counts as reached as soon as its name occurs in code that
// is reached: called, passed on, or kept in a closure. A member is known by where its type declares it, so that
// destructured ports and contexts that were spread or narrowed are followed. A method of an interface reaches that
// method of every class of Petra that implements the interface and is made in what the handler reaches.

import path from 'node:path';
import ts from 'typescript-api';
import { actionOf } from './sdk-actions.ts';
import { sdkImports, withoutSdkTypes } from './sdk-stand-ins.ts';

export interface Reach {
  /** For example `machines.launch`. */
  readonly calls: readonly string[];
  /** For example `ec2:RunInstances`. */
  readonly actions: readonly string[];
  /** Variables of the environment, without Lambda's own. */
  readonly variables: readonly string[];
}

const root = path.resolve(import.meta.dirname, '..');
const folders = ['core', 'adapters', 'lambdas'];

const environment = 'lambdas/env.ts';

/** Set by Lambda itself; the stack may not set them. */
const ownVariables = /^(?:AWS|_X)_/;

/** What these handlers reach, by file. */
export function reachOf(
  files: readonly string[],
  options: { readonly root?: string } = {},
): Map<string, Reach> {
  const base = options.root ?? root;
  const program = programOf(base, files);
  const sources = new Sources(program, base);
  const reader = new Reader(sources);
  return new Map(
    files.map((file) => {
      const source = program.getSourceFile(path.join(base, file));
      if (!source) throw new Error(`${file} is not there`);
      return [file, new Walk(sources, reader, source).reach()];
    }),
  );
}

function programOf(base: string, files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  return ts.createProgram(
    files.map((file) => path.join(base, file)),
    options,
    withoutSdkTypes(ts.createCompilerHost(options), options, sdkImports(base, folders)),
  );
}

/** The program, and what all walks need to know of it. */
class Sources {
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
interface Mentions {
  readonly declarations: ReadonlySet<ts.Declaration>;
  readonly variables: ReadonlySet<string>;
}

/** Reads pieces of code, each once for all handlers. */
class Reader {
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
    this.#visit(node, declarations, variables);
    const mentions = { declarations, variables };
    this.#known.set(node, mentions);
    return mentions;
  }

  #visit(node: ts.Node, declarations: Set<ts.Declaration>, variables: Set<string>): void {
    if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    // A class inside a function as well as one at the top: its methods count when they are called.
    if (ts.isClassLike(node)) return;
    for (const symbol of this.#named(node)) {
      for (const declaration of resolved(this.#sources.checker, symbol)?.declarations ?? [])
        declarations.add(declaration);
    }
    if (ts.isCallExpression(node)) {
      this.#refuseEscapes(node);
      const variable = this.#variableIn(node);
      if (variable !== undefined) variables.add(variable);
    }
    ts.forEachChild(node, (child) => this.#visit(child, declarations, variables));
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

/** From one handler file, until nothing new is reached. */
class Walk {
  readonly #sources: Sources;
  readonly #reader: Reader;
  readonly #pending: ts.Node[];
  readonly #seen = new Set<ts.Node>();
  readonly #calls = new Set<string>();
  readonly #actions = new Set<string>();
  readonly #variables = new Set<string>();
  readonly #made = new Set<ts.ClassDeclaration>();
  /** Members of interfaces that are used, for classes that are only found to be made later. */
  readonly #asked: { readonly owner: ts.Node; readonly member: string }[] = [];

  constructor(sources: Sources, reader: Reader, handler: ts.SourceFile) {
    this.#sources = sources;
    this.#reader = reader;
    this.#pending = [...handler.statements];
  }

  reach(): Reach {
    for (let node = this.#pending.pop(); node; node = this.#pending.pop()) {
      if (this.#seen.has(node)) continue;
      this.#seen.add(node);
      const { declarations, variables } = this.#reader.mentions(node);
      for (const variable of variables) this.#variables.add(variable);
      for (const declaration of declarations) this.#reached(declaration);
    }
    return {
      calls: [...this.#calls].toSorted(),
      actions: [...this.#actions].toSorted(),
      variables: [...this.#variables].toSorted(),
    };
  }

  #reached(declaration: ts.Declaration): void {
    if (this.#seen.has(declaration)) return;
    if (!this.#sources.isOurs(declaration.getSourceFile())) {
      this.#reachedOutside(declaration);
    } else if (ts.isClassDeclaration(declaration)) {
      this.#reachedClass(declaration);
    } else if (ts.isMethodSignature(declaration) || ts.isPropertySignature(declaration)) {
      this.#reachedMember(declaration);
    } else if (!ts.isParameter(declaration) && !ts.isBindingElement(declaration)) {
      this.#pending.push(declaration);
    }
  }

  #reachedOutside(declaration: ts.Declaration): void {
    const packageName = declaration
      .getSourceFile()
      .fileName.match(/\/node_modules\/@aws-sdk\/([^/]+)\//)?.[1];
    if (packageName === undefined || !ts.isClassDeclaration(declaration) || !declaration.name) return;
    const action = actionOf(packageName, declaration.name.text);
    if (action !== undefined) this.#actions.add(action);
  }

  /** What making one runs: its constructor and the values of its fields. Its methods are reached by their calls. */
  #reachedClass(declaration: ts.ClassDeclaration): void {
    if (this.#made.has(declaration)) return;
    this.#made.add(declaration);
    for (const member of declaration.members) {
      if (ts.isConstructorDeclaration(member) || ts.isPropertyDeclaration(member)) this.#pending.push(member);
    }
    for (const { token, types } of declaration.heritageClauses ?? []) {
      if (token === ts.SyntaxKind.ExtendsKeyword)
        this.#pending.push(...types.map(({ expression }) => expression));
    }
    for (const { owner, member } of this.#asked) this.#dispatch(declaration, owner, member);
  }

  #reachedMember(signature: ts.MethodSignature | ts.PropertySignature): void {
    this.#seen.add(signature);
    const owner = signature.parent;
    const member = signature.name.getText();
    const port = this.#sources.portOf(owner);
    // What a port merely says of itself, such as settings, calls nothing.
    if (port !== undefined && ts.isMethodSignature(signature)) this.#calls.add(`${port}.${member}`);
    // Functions that are ports themselves, such as newUid.
    const isFunction = signature.type !== undefined && ts.isFunctionTypeNode(signature.type);
    if (ts.isInterfaceDeclaration(owner) && owner.name.text === 'Ports' && isFunction)
      this.#calls.add(member);
    this.#asked.push({ owner, member });
    for (const declaration of this.#made) this.#dispatch(declaration, owner, member);
  }

  #dispatch(declaration: ts.ClassDeclaration, owner: ts.Node, member: string): void {
    if (!this.#sources.implementations(owner).includes(declaration)) return;
    for (const one of declaration.members) {
      if (one.name?.getText() === member) this.#reached(one);
    }
  }
}

/** What a name stands for, through imports. */
function resolved(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): ts.Symbol | undefined {
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}
