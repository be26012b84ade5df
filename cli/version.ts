import { readFileSync } from 'node:fs';

/** Set by scripts/build-cli.ts, so that the bundle answers `--version` without reading a file. */
declare const PETRA_VERSION: string;

function versionOfPackage(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}

/** The version of this command line. */
export const version: string = typeof PETRA_VERSION === 'string' ? PETRA_VERSION : versionOfPackage();
