// Which program stands in for which image. The programs are built from the same sources as the images are.

import { versions } from './go-modules.ts';

/** A program and how its image calls it. */
export interface ImageProgram {
  /** On this machine. */
  readonly binary: string;
  /** What a container runs that names no command; the first word is where the image has the program. */
  readonly command: readonly string[];
}

type Programs = Readonly<
  Record<'capi-core' | 'k3s-bootstrap' | 'k3s-control-plane' | 'capa' | 'cert-manager', string>
>;

interface Image {
  readonly binary: keyof Programs;
  readonly tag: string;
  readonly command: readonly string[];
}

const manager = ['/manager'];
const { capi, capa, k3sProviders, certManager } = versions;

/** By the last part of the image's name, so that mirrors are known too. cert-manager's programs are one here. */
const images: ReadonlyMap<string, Image> = new Map([
  ['cluster-api-controller', { binary: 'capi-core', tag: capi, command: manager }],
  ['bootstrap-controller', { binary: 'k3s-bootstrap', tag: k3sProviders, command: manager }],
  ['controlplane-controller', { binary: 'k3s-control-plane', tag: k3sProviders, command: manager }],
  ['cluster-api-aws-controller', { binary: 'capa', tag: capa, command: manager }],
  ...['controller', 'cainjector', 'webhook'].map((part): [string, Image] => [
    `cert-manager-${part}`,
    { binary: 'cert-manager', tag: certManager, command: [`/app/cmd/${part}`, part] },
  ]),
]);

/** The program of an image; undefined when there is none here, or one of another version. */
export function programOf(image: string, programs: Programs): ImageProgram | undefined {
  const [, name = '', tag] = /([^/@:]+):([^/@:]+)(?:@.*)?$/.exec(image) ?? [];
  const known = images.get(name);
  if (known?.tag !== tag) return undefined;
  return known && { binary: programs[known.binary], command: known.command };
}
