import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The folders at the top that hold source files. */
export const PLACES = ['bench', 'deploy', 'gateway', 'node-agent', 'protocol', 'test'] as const;

const SOURCE = /\.[cm]?[jt]sx?$/;

/** One place where a module names another. `url` is `new URL(specifier, import.meta.url)`: how a worker is started. */
export interface Reference {
  readonly kind: 'import' | 'url';
  readonly specifier: string;
  readonly line: number;
}

/** One source file, as far as the rules look at it. */
export interface Module {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly references: readonly Reference[];
  /** Lines of imports whose target is computed, so that nobody can tell what they load. */
  readonly computedImports: readonly number[];
  /** Lines that reach for `process.env`, however it is spelt. */
  readonly environmentReads: readonly number[];
}

/** Every source file under the known places of a repository, parsed. Paths come sorted. */
export function readModules(root: string): Module[] {
  return PLACES.flatMap((place) => sourceFiles(root, place))
    .sort()
    .map((path) => parseModule(path, readFileSync(join(root, path), 'utf8')));
}

function sourceFiles(root: string, folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourceFiles(root, path);
    return SOURCE.test(entry.name) ? [path] : [];
  });
}

function parseModule(path: string, text: string): Module {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const references: Reference[] = [];
  const computedImports: number[] = [];
  const environmentReads: number[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const processNames = namesOfProcess(file);

  for (const { fileName, pos } of [...file.referencedFiles, ...file.typeReferenceDirectives]) {
    const line = file.getLineAndCharacterOfPosition(pos).line + 1;
    references.push({ kind: 'import', specifier: fileName, line });
  }
  const visit = (node: ts.Node): void => {
    const named = namedBy(node);
    if (named !== undefined) {
      if (ts.isStringLiteralLike(named.specifier)) {
        references.push({ kind: named.kind, specifier: named.specifier.text, line: lineOf(node) });
      } else if (named.kind === 'import') {
        computedImports.push(lineOf(node));
      }
    }
    if (readsEnvironment(node, processNames)) environmentReads.push(lineOf(node));
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, lines, references, computedImports, environmentReads };
}

/** What a node names, when it is any of the ways in which one file can name another. */
function namedBy(node: ts.Node): { kind: Reference['kind']; specifier: ts.Node } | undefined {
  if (ts.isImportDeclaration(node)) return { kind: 'import', specifier: node.moduleSpecifier };
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { kind: 'import', specifier: node.moduleSpecifier };
  }
  if (ts.isExternalModuleReference(node)) return { kind: 'import', specifier: node.expression };
  if (ts.isImportTypeNode(node)) {
    const { argument } = node;
    return { kind: 'import', specifier: ts.isLiteralTypeNode(argument) ? argument.literal : argument };
  }
  if (ts.isCallExpression(node) && loadsModule(node.expression) && node.arguments[0] !== undefined) {
    return { kind: 'import', specifier: node.arguments[0] };
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    const [target, base] = node.arguments ?? [];
    if (target !== undefined && base?.getText() === 'import.meta.url')
      return { kind: 'url', specifier: target };
  }
  return undefined;
}

function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ['require', 'require.resolve', 'import.meta.resolve'].includes(callee.getText());
}

const PROCESS_MODULES = ['process', 'node:process'];

/** `process`, and whatever else a file calls the module of that name. */
function namesOfProcess(file: ts.SourceFile): ReadonlySet<string> {
  const names = new Set(['process']);
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !isProcessModule(statement.moduleSpecifier)) continue;
    const clause = statement.importClause;
    if (clause?.name !== undefined) names.add(clause.name.text);
    const bindings = clause?.namedBindings;
    if (bindings !== undefined && ts.isNamespaceImport(bindings)) names.add(bindings.name.text);
  }
  return names;
}

function isProcessModule(node: ts.Node | undefined): boolean {
  return node !== undefined && ts.isStringLiteral(node) && PROCESS_MODULES.includes(node.text);
}

function readsEnvironment(node: ts.Node, processNames: ReadonlySet<string>): boolean {
  const isProcess = (value: ts.Expression | undefined): boolean => {
    if (value === undefined) return false;
    if (ts.isIdentifier(value)) return processNames.has(value.text);
    return ts.isPropertyAccessExpression(value) && value.name.text === 'process';
  };
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'env' && isProcess(node.expression);
  if (ts.isElementAccessExpression(node)) {
    const key = node.argumentExpression;
    return isProcess(node.expression) && ts.isStringLiteralLike(key) && key.text === 'env';
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && isProcess(node.initializer)) {
    return node.name.elements.some(({ propertyName, name }) => (propertyName ?? name).getText() === 'env');
  }
  if (ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) {
    const declaration = ts.findAncestor(
      node,
      (parent) => ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent),
    );
    return (node.propertyName ?? node.name).text === 'env' && isProcessModule(declaration?.moduleSpecifier);
  }
  return false;
}
