// Which program stands in for which image. The programs are built from the same sources as the images are.

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

const manager = ['/manager'];

/** By the last part of the image's name, so that mirrors are known too. cert-manager's programs are one here. */
const images: ReadonlyMap<string, { readonly binary: keyof Programs; readonly command: readonly string[] }> =
  new Map([
    ['cluster-api-controller', { binary: 'capi-core', command: manager }],
    ['bootstrap-controller', { binary: 'k3s-bootstrap', command: manager }],
    ['controlplane-controller', { binary: 'k3s-control-plane', command: manager }],
    ['cluster-api-aws-controller', { binary: 'capa', command: manager }],
    ['cert-manager-controller', { binary: 'cert-manager', command: ['/app/cmd/controller', 'controller'] }],
    ['cert-manager-cainjector', { binary: 'cert-manager', command: ['/app/cmd/cainjector', 'cainjector'] }],
    ['cert-manager-webhook', { binary: 'cert-manager', command: ['/app/cmd/webhook', 'webhook'] }],
  ]);

/** The program of an image; undefined when there is none here. */
export function programOf(image: string, programs: Programs): ImageProgram | undefined {
  const [, name = ''] = /([^/@:]+)(?::[^/@]*)?(?:@.*)?$/.exec(image) ?? [];
  const known = images.get(name);
  return known && { binary: programs[known.binary], command: known.command };
}
