// The networks of Pods: each has an interface of its own on the bridge of the sandbox, so that two Pods can have the same
// ports. Services have no addresses; who calls one asks its EndpointSlices.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { podBridge } from './sandbox.ts';

const run = promisify(execFile);

export interface PodAttachment {
  readonly address: string;
  /** What to put before a command so that it runs in this network. */
  readonly enter: readonly string[];
  detach(): Promise<void>;
}

/** 1 is the bridge. */
const firstHost = 2;
const lastHost = 254;

/** One for all Pods of the sandbox, whatever cluster they are of. */
export class PodNetwork {
  readonly #folder: string;
  readonly #taken = new Set<number>();
  #last = firstHost - 1;

  /** The folder is for files that stand for the networks. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  async attach(): Promise<PodAttachment> {
    const host = this.#takeHost();
    const address = `${podBridge.prefix}.${host}`;
    const file = path.join(this.#folder, address);
    await writeFile(file, '');
    // The network is kept by a mount on the file, and the other end of its cable goes to the first process' network.
    await run('unshare', [
      `--net=${file}`,
      'sh',
      '-euc',
      `ip link set lo up
       ip link add name eth0 type veth peer name pod${host} netns 1
       ip address add ${address}/${podBridge.bits} dev eth0
       ip link set eth0 up
       ip route add default via ${podBridge.gateway}`,
    ]);
    await run('ip', ['link', 'set', `pod${host}`, 'master', podBridge.name, 'up']);
    return {
      address,
      enter: ['nsenter', `--net=${file}`],
      detach: async () => {
        await run('ip', ['link', 'delete', `pod${host}`]);
        await run('umount', [file]);
        await rm(file);
        this.#taken.delete(host);
      },
    };
  }

  /** In turn, so that an address that somebody still remembers is not soon another Pod's. */
  #takeHost(): number {
    for (let tries = firstHost; tries <= lastHost; tries += 1) {
      this.#last = this.#last < lastHost ? this.#last + 1 : firstHost;
      if (this.#taken.has(this.#last)) continue;
      this.#taken.add(this.#last);
      return this.#last;
    }
    throw new Error('no address is left for another Pod');
  }
}
