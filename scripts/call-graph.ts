// What a handler can reach: which methods of ports, which commands of the AWS SDK, which variables of the environment.
//
// Read with the type checker, conservatively. A declaration counts as reached as soon as its name occurs in code that
// is reached: called, passed on, or kept in a closure. A member is known by where its type declares it, so that
// destructured ports and contexts that were spread or narrowed are followed. A method of an interface reaches that
// method of every class of Petra that implements the interface and is made in what the handler reaches.

import path from 'node:path';
import ts from 'typescript-api';
import { folders, Reader, Sources } from './code-mentions.ts';
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

/** From one handler file, until nothing new is reached. */
class Walk {
  readonly #sources: Sources;
  readonly #reader: Reader;
  readonly #name: string;
  readonly #pending: ts.Node[];
  readonly #seen = new Set<ts.Node>();
  readonly #calls = new Set<string>();
  readonly #actions = new Set<string>();
  readonly #variables = new Set<string>();
  readonly #made = new Set<ts.ClassDeclaration>();
  readonly #provided = new Set<ts.Node>();
  /** Members of interfaces that are used, for classes that are only found to be made later. */
  readonly #asked: { readonly owner: ts.Node; readonly member: string }[] = [];

  constructor(sources: Sources, reader: Reader, handler: ts.SourceFile) {
    this.#sources = sources;
    this.#reader = reader;
    this.#name = sources.fileOf(handler);
    this.#pending = [...handler.statements];
  }

  reach(): Reach {
    for (let node = this.#pending.pop(); node; node = this.#pending.pop()) {
      if (this.#seen.has(node)) continue;
      this.#seen.add(node);
      const { declarations, variables, provided } = this.#reader.mentions(node);
      for (const variable of variables) this.#variables.add(variable);
      for (const declaration of provided) this.#provided.add(declaration);
      for (const declaration of declarations) this.#reached(declaration);
    }
    this.#refuseUnknownAdapters();
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

  /** A class that is a port without saying so (`implements`) would do its work unseen. */
  #refuseUnknownAdapters(): void {
    for (const { owner, member } of this.#asked) {
      const port = this.#sources.portOf(owner);
      const isKnown =
        this.#provided.has(owner) || this.#sources.implementations(owner).some((one) => this.#made.has(one));
      if (port !== undefined && !isKnown)
        throw new Error(
          `${this.#name}: what implements ${port}.${member} is not known; its class must say implements`,
        );
    }
  }

  #dispatch(declaration: ts.ClassDeclaration, owner: ts.Node, member: string): void {
    if (!this.#sources.implementations(owner).includes(declaration)) return;
    for (const one of declaration.members) {
      if (one.name?.getText() === member) this.#reached(one);
    }
  }
}
