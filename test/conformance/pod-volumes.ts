// The files that a Pod finds at its mount paths, kept like the objects they come from.

import { chown, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AccountToken, Files, KubeletApi } from './kubelet-api.ts';
import type { Container, PodSpec, VolumeSource } from './pod-template.ts';

/** Where in-cluster clients look for their credentials. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet's own wish for the token that it mounts unasked. */
const accountTokenSeconds = 3_607;

type Tokens = NonNullable<VolumeSource['projected']>['sources'][number]['serviceAccountToken'];

export interface VolumeOwner {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Who may read the files besides root; undefined where only root exists. */
  readonly user: { readonly user: number; readonly group: number } | undefined;
}

/** What it asks of the API. */
export type VolumeObjects = Pick<KubeletApi, 'secret' | 'configMap' | 'token' | 'authority'>;

export class PodVolumes {
  readonly #api: VolumeObjects;
  readonly #root: string;
  readonly #spec: PodSpec;
  readonly #container: Container;
  readonly #owner: VolumeOwner;
  readonly #now: () => number;
  readonly #tokens = new Map<string, AccountToken & { readonly renewAt: number }>();

  constructor(
    api: VolumeObjects,
    root: string,
    spec: PodSpec,
    container: Container,
    owner: VolumeOwner,
    now: () => number = Date.now,
  ) {
    this.#now = now;
    this.#api = api;
    this.#root = root;
    this.#spec = spec;
    this.#container = container;
    this.#owner = owner;
  }

  /**
   * Writes what is missing or has changed; removes nothing.
   * @throws while something is not there yet, saying what
   */
  async refresh(): Promise<void> {
    for (const { name, mountPath, subPath } of this.#container.volumeMounts ?? []) {
      const volume = this.#spec.volumes?.find((one) => one.name === name);
      if (!volume || subPath !== undefined)
        throw new Error(`volume ${name}: the stand-in kubelet cannot mount it`);
      await this.#makeFolder(mountPath);
      await this.#writeAll(mountPath, await this.#filesOf(name, volume));
    }
    if (this.#spec.automountServiceAccountToken === false) return;
    await this.#writeAll(accountFolder, {
      token: await this.#tokenFor({ path: 'token', expirationSeconds: accountTokenSeconds }),
      'ca.crt': Buffer.from(this.#api.authority),
      namespace: Buffer.from(this.#owner.namespace),
    });
  }

  async #filesOf(name: string, volume: VolumeSource): Promise<Files> {
    if (volume.emptyDir) return {};
    if (volume.secret || volume.configMap) return this.#keyedFiles(volume);
    if (!volume.projected) throw new Error(`volume ${name}: the stand-in kubelet does not have its kind`);
    const parts = await Promise.all(
      volume.projected.sources.map(async (source) => {
        const wanted = source.serviceAccountToken;
        return wanted ? { [wanted.path]: await this.#tokenFor(wanted) } : this.#keyedFiles(source);
      }),
    );
    return Object.assign({}, ...parts);
  }

  async #keyedFiles({ secret, configMap }: Pick<VolumeSource, 'secret' | 'configMap'>): Promise<Files> {
    const { namespace } = this.#owner;
    // A projected volume calls it name.
    const name = secret?.secretName ?? secret?.name ?? configMap?.name ?? '';
    const files = secret
      ? await this.#api.secret(namespace, name)
      : await this.#api.configMap(namespace, name);
    const { items, optional } = secret ?? configMap ?? {};
    if (!files) {
      if (optional) return {};
      throw new Error(`${secret ? 'Secret' : 'ConfigMap'} ${namespace}/${name} is not there yet`);
    }
    if (!items) return files;
    return Object.fromEntries(
      items.flatMap(({ key, path: file }) => {
        const bytes = files[key];
        if (!bytes && !optional) throw new Error(`${namespace}/${name} has no ${key}`);
        return bytes ? [[file, bytes]] : [];
      }),
    );
  }

  async #tokenFor(wanted: NonNullable<Tokens>): Promise<Buffer> {
    const { namespace, serviceAccount } = this.#owner;
    const kept = this.#tokens.get(wanted.path);
    const now = this.#now();
    if (kept && now < kept.renewAt) return Buffer.from(kept.token);
    const seconds = wanted.expirationSeconds ?? accountTokenSeconds;
    const made = await this.#api.token(namespace, serviceAccount, {
      seconds,
      ...(wanted.audience === undefined ? {} : { audience: wanted.audience }),
    });
    // The kubelet renews tokens when 80 % of their time is over.
    const renewAt = now + 0.8 * (made.expiresAt.getTime() - now);
    this.#tokens.set(wanted.path, { ...made, renewAt });
    return Buffer.from(made.token);
  }

  async #makeFolder(folder: string): Promise<void> {
    const made = path.join(this.#root, folder);
    await mkdir(made, { recursive: true });
    await this.#give(made);
  }

  async #writeAll(folder: string, files: Files): Promise<void> {
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(this.#root, folder, name);
      const present = await readFile(file).catch(() => undefined);
      if (present?.equals(bytes)) continue;
      await mkdir(path.dirname(file), { recursive: true });
      // By renaming, so that nobody reads half of it.
      await writeFile(`${file}.new`, bytes, { mode: 0o600 });
      await this.#give(`${file}.new`);
      await rename(`${file}.new`, file);
    }
  }

  async #give(file: string): Promise<void> {
    const { user } = this.#owner;
    if (user) await chown(file, user.user, user.group);
  }
}
