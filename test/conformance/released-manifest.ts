// What a project's Makefile changes in its manifest when it makes a release of it.

export interface ReleaseSettings {
  /** With registry and tag. In the repository it has the tag of a branch. */
  readonly image: string;
  /** Left as it is when not given. */
  readonly pullPolicy?: 'IfNotPresent';
}

/** The manifest as it is released. @throws when it does not have exactly one such image, or such a policy. */
export function released(manifest: string, { image, pullPolicy }: ReleaseSettings): string {
  const name = image.slice(image.lastIndexOf('/') + 1).replace(/:.*$/, '');
  const tagged = replaceOnce(manifest, new RegExp(`(?<=^ +(?:- )?image: )\\S+/${name}:\\S+$`, 'gm'), image);
  if (pullPolicy === undefined) return tagged;
  return replaceOnce(tagged, /(?<=^ +imagePullPolicy: )\w+$/gm, pullPolicy);
}

function replaceOnce(manifest: string, what: RegExp, replacement: string): string {
  const found = manifest.match(what) ?? [];
  if (found.length !== 1) throw new Error(`expected one ${what} in the manifest, found ${found.length}`);
  return manifest.replace(what, () => replacement);
}
