// The AWS SDK as the call graph sees it: names without types.

import path from 'node:path';
import ts from 'typescript-api';

const root = path.resolve(import.meta.dirname, '..');

/**
 * A host in which each package of the SDK exports the names that adapters import, and nothing of their types: reading
 * those takes a minute, and nothing here depends on them.
 */
export function withoutSdkTypes(
  host: ts.CompilerHost,
  options: ts.CompilerOptions,
  standIns: ReadonlyMap<string, ReadonlySet<string>>,
): ts.CompilerHost {
  const fileOf = (name: string) => path.join(root, 'node_modules', name, 'stand-in.d.ts');
  const byFile = new Map([...standIns].map(([name, exported]) => [fileOf(name), exported]));
  const textOf = (file: string) => {
    const exported = byFile.get(file);
    return (
      exported &&
      [...exported].map((name) => `export declare class ${name} { [member: string]: any }`).join('\n')
    );
  };
  return {
    ...host,
    fileExists: (file) => byFile.has(file) || host.fileExists(file),
    readFile: (file) => textOf(file) ?? host.readFile(file),
    getSourceFile: (file, language) => {
      const text = textOf(file);
      return text === undefined
        ? host.getSourceFile(file, language)
        : ts.createSourceFile(file, text, language, true);
    },
    resolveModuleNameLiterals: (literals, importer, redirected, _options, importing) =>
      literals.map((literal) => {
        if (standIns.has(literal.text))
          return { resolvedModule: { resolvedFileName: fileOf(literal.text), extension: ts.Extension.Dts } };
        const mode = ts.getModeForUsageLocation(importing, literal, options);
        return ts.resolveModuleName(literal.text, importer, options, host, undefined, redirected, mode);
      }),
  };
}

/** What the sources in these folders import from the SDK, by package. */
export function sdkImports(base: string, folders: readonly string[]): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const folder of folders) {
    for (const file of ts.sys.readDirectory(path.join(base, folder), ['.ts'])) {
      const source = ts.createSourceFile(file, ts.sys.readFile(file) ?? '', ts.ScriptTarget.ESNext);
      for (const statement of source.statements) {
        if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
        const { text } = statement.moduleSpecifier;
        if (!/^@(?:aws-sdk|smithy)\//.test(text)) continue;
        const bindings = statement.importClause?.namedBindings;
        if (!bindings || !ts.isNamedImports(bindings))
          throw new Error(`${path.relative(base, file)}: import the names that are used of ${text}`);
        const names = imports.get(text) ?? new Set();
        for (const { propertyName, name } of bindings.elements) names.add((propertyName ?? name).text);
        imports.set(text, names);
      }
    }
  }
  return imports;
}
