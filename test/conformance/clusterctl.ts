// The real clusterctl on a management cluster that Petra made, with the releases that Petra installed from.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { providerVariables } from '../../core/capi/providers.ts';
import { clusterctlConfiguration } from './releases.ts';

const run = promisify(execFile);

/** It asks for one thing after the other, of an API server that has much to do. */
const limitMilliseconds = 5 * 60_000;

export class Clusterctl {
  readonly #program: string;
  /** Home of a user with nothing else. */
  readonly #folder: string;

  constructor(options: {
    readonly program: string;
    readonly folder: string;
    /** Releases in clusterctl's layout. */
    readonly releases: string;
    readonly kubeconfig: string;
  }) {
    const { program, folder, releases, kubeconfig } = options;
    this.#program = program;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 });
    writeFileSync(path.join(folder, 'clusterctl.yaml'), clusterctlConfiguration(releases, providerVariables));
  }

  /** What it prints. @throws Error with what it said */
  async run(...args: readonly string[]): Promise<string> {
    try {
      const { stdout } = await run(
        this.#program,
        ['--config', path.join(this.#folder, 'clusterctl.yaml'), ...args],
        {
          timeout: limitMilliseconds,
          env: {
            PATH: process.env.PATH,
            HOME: this.#folder,
            XDG_CONFIG_HOME: this.#folder,
            KUBECONFIG: path.join(this.#folder, 'kubeconfig'),
            // It would ask GitHub for a newer version of itself.
            CLUSTERCTL_DISABLE_VERSIONCHECK: 'true',
          },
        },
      );
      return stdout;
    } catch (error) {
      const said = String(Reflect.get(Object(error), 'stderr') ?? error).slice(-3_000);
      throw new Error(`clusterctl ${args.join(' ')} failed:\n${said}`, { cause: error });
    }
  }
}
