// Puts a cluster into the text of a kubeconfig file. Nothing of what others wrote there is lost: entries,
// comments, order and spelling of values stay.

import { type Document, isMap, isScalar, isSeq, parseDocument, YAMLMap, type YAMLSeq } from 'yaml';
import { PetraError } from '../core/errors.ts';

export interface MergedKubeconfig {
  readonly text: string;
  readonly contextName: string;
  /** Whether the cluster had entries before. */
  readonly updated: boolean;
  /** Whether the cluster's context is the current one now. */
  readonly current: boolean;
}

/** Marks entries as Petra's, so that a later merge finds them, and never overwrites anyone else's. */
const marker = 'petra.sh';

type ListName = 'clusters' | 'contexts' | 'users';

/** The lists of a kubeconfig, and the key of an entry's body in each. */
const lists: readonly (readonly [list: ListName, key: string])[] = [
  ['clusters', 'cluster'],
  ['contexts', 'context'],
  ['users', 'user'],
];

/** With the failsafe schema every plain value is text as it was written: `1.10`, `yes` or `0x1f` come out unchanged. */
function parse(text: string, what: string): Document.Parsed {
  const document = parseDocument(text, { schema: 'failsafe', keepSourceTokens: false });
  const [problem] = document.errors;
  if (problem) {
    throw new PetraError('FileUnreadable', `${what} is not valid YAML, so it was left alone`, {
      cause: problem,
      fix: 'Repair the file, or merge into another one with --merge PATH.',
    });
  }
  return document;
}

function refuse(what: string, problem: string): PetraError {
  return new PetraError('FileUnreadable', `${what} is not a kubeconfig (${problem}), so it was left alone`, {
    fix: 'Repair the file, or merge into another one with --merge PATH.',
  });
}

function isNothing(node: unknown): boolean {
  return (
    node === undefined ||
    node === null ||
    (isScalar(node) &&
      (node.value === null || node.value === '' || node.value === 'null' || node.value === '~'))
  );
}

/** A list of the file, made when it is missing or null. */
function listOf(document: Document, root: YAMLMap, name: ListName, what: string): YAMLSeq {
  const present = root.get(name, true);
  if (isSeq(present)) {
    // An empty `[]` is usually written in flow style, which would put the new entry on one line.
    if (present.items.length === 0) present.flow = false;
    return present;
  }
  if (!isNothing(present)) throw refuse(what, `\`${name}\` is not a list`);
  const list = document.createNode([]);
  list.flow = false;
  root.set(name, list);
  return list;
}

function text(map: YAMLMap, key: string): string | undefined {
  const value = map.get(key);
  return typeof value === 'string' ? value : undefined;
}

function entry(list: YAMLSeq, name: string): YAMLMap | undefined {
  return list.items.find((item): item is YAMLMap => isMap(item) && text(item, 'name') === name);
}

/** The cluster that an entry was written for by Petra; undefined for an entry of someone else. */
function ownerOf(item: YAMLMap, key: string): string | undefined {
  const body = item.get(key);
  const extensions = isMap(body) ? body.get('extensions') : undefined;
  if (!isSeq(extensions)) return undefined;
  const mark = extensions.items.find((one): one is YAMLMap => isMap(one) && text(one, 'name') === marker);
  const extension = mark?.get('extension');
  return isMap(extension) ? text(extension, 'cluster') : undefined;
}

/**
 * `petra-<cluster>` (once is enough for a cluster called `petra-mgmt`), or the next free `petra-<cluster>-2` when someone
 * else has an entry of that name.
 */
function freeName(found: Readonly<Record<ListName, YAMLSeq>>, cluster: string): string {
  const wanted = cluster.startsWith('petra-') ? cluster : `petra-${cluster}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    const isForeign = lists.some(([list, key]) => {
      const item = entry(found[list], name);
      return item !== undefined && ownerOf(item, key) !== cluster;
    });
    if (!isForeign) return name;
  }
}

/** The one entry of each list that the current context of Petra's own kubeconfig uses. */
function incomingEntries(kubeconfig: string): Readonly<Record<ListName, YAMLMap>> {
  const what = "the cluster's kubeconfig";
  const root = parse(kubeconfig, what).contents;
  if (!isMap(root)) throw refuse(what, 'no mapping at the top');
  const pick = (name: ListName, key: string, wanted: string | undefined): YAMLMap => {
    const list = root.get(name);
    const items: YAMLMap[] = isSeq(list) ? list.items.flatMap((item) => (isMap(item) ? [item] : [])) : [];
    const found = items.find((item) => text(item, 'name') === wanted) ?? items[0];
    const body = found?.get(key);
    if (!isMap(body)) throw refuse(what, `no entry in \`${name}\``);
    return body;
  };
  const context = pick('contexts', 'context', text(root, 'current-context'));
  return {
    contexts: context,
    clusters: pick('clusters', 'cluster', text(context, 'cluster')),
    users: pick('users', 'user', text(context, 'user')),
  };
}

/**
 * `existing` with the entries of `kubeconfig` in it, under the name `petra-<cluster>`. Merging the same again
 * changes nothing.
 * @throws FileUnreadable when `existing` is broken or no kubeconfig
 */
export function mergeKubeconfig(
  existing: string,
  kubeconfig: string,
  {
    cluster,
    setCurrent,
    what,
  }: { readonly cluster: string; readonly setCurrent: boolean; readonly what: string },
): MergedKubeconfig {
  const incoming = incomingEntries(kubeconfig);
  const document = parse(existing, what);
  if (isNothing(document.contents)) {
    const empty = parse('apiVersion: v1\nkind: Config\n', what);
    empty.commentBefore = document.commentBefore;
    return mergeInto(empty, existing, incoming, cluster, setCurrent, what);
  }
  return mergeInto(document, existing, incoming, cluster, setCurrent, what);
}

function mergeInto(
  document: Document,
  source: string,
  incoming: Readonly<Record<ListName, YAMLMap>>,
  cluster: string,
  setCurrent: boolean,
  what: string,
): MergedKubeconfig {
  const root = document.contents;
  if (!isMap(root)) throw refuse(what, 'no mapping at the top');
  if ((text(root, 'kind') ?? 'Config') !== 'Config') throw refuse(what, `its kind is ${text(root, 'kind')}`);
  const found = {
    clusters: listOf(document, root, 'clusters', what),
    contexts: listOf(document, root, 'contexts', what),
    users: listOf(document, root, 'users', what),
  };
  const name = freeName(found, cluster);
  incoming.contexts.set('cluster', name);
  incoming.contexts.set('user', name);
  const updated = entry(found.contexts, name) !== undefined;
  for (const [list, key] of lists) {
    const body = incoming[list];
    body.set('extensions', document.createNode([{ name: marker, extension: { cluster } }]));
    const present = entry(found[list], name);
    if (present) present.set(key, body);
    else {
      const item = new YAMLMap(document.schema);
      item.set('name', name);
      item.set(key, body);
      found[list].items.push(item);
    }
  }
  if (setCurrent || isNothing(root.get('current-context', true))) root.set('current-context', name);
  // kubectl writes lists without indentation; whoever wrote this file is followed.
  const indentSeq = !/^(clusters|contexts|users):[ \t]*\n- /m.test(source) && source.trim() !== '';
  return {
    text: document.toString({ lineWidth: 0, indentSeq }),
    contextName: name,
    updated,
    current: text(root, 'current-context') === name,
  };
}
