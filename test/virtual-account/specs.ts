// Specs for the virtual account: the user's own two, and copies under other names.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from './places.ts';

export const managementFile = path.join(repository, 'examples', 'management.yaml');
export const workloadFile = path.join(repository, 'examples', 'workload-dev.yaml');

/** A version of CAPA that was released, and that the rest of the user's spec goes together with. */
const releasedCapa = 'v2.7.1';

/** The user's management cluster with a version that exists; written to a file of the folder. */
export function correctedManagement(folder: string, name = 'petra-mgmt', capa = releasedCapa): string {
  const text = readFileSync(managementFile, 'utf8');
  return write(folder, name, text.replace('capaVersion: v2.7.4', `capaVersion: ${capa}`), 'petra-mgmt');
}

/** The user's workload cluster, under another name, and of machines of another type when there is one. */
export function workload(folder: string, name: string, instanceType = 'm5a.large'): string {
  const text = readFileSync(workloadFile, 'utf8');
  return write(folder, name, text.replaceAll('m5a.large', instanceType), 'workload-dev');
}

function write(folder: string, name: string, text: string, original: string): string {
  const file = path.join(folder, `${name}.yaml`);
  writeFileSync(file, text.replace(`name: ${original}`, `name: ${name}`));
  return file;
}
