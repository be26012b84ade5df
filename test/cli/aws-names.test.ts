// What completion asks AWS and its configuration for.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { profileNames } from '../../cli/aws-profiles.ts';
import { Output } from '../../cli/output.ts';
import { StackFinder } from '../../cli/stack-finder.ts';
import { StubAws } from './stub-aws.ts';
import { temporaryFolder } from './temporary-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('the names of profiles, and of nothing else in the files', async () => {
  const folder = temporaryFolder();
  const [config, credentials] = [path.join(folder, 'config'), path.join(folder, 'credentials')];
  writeFileSync(
    config,
    '[default]\nregion = x\n[profile dev]\nregion = x\n[sso-session corp]\nsso_region = x\n[services s]\nssm =\n  endpoint_url = x\n',
  );
  writeFileSync(credentials, '[ops]\naws_access_key_id = a\n');
  vi.stubEnv('AWS_CONFIG_FILE', config);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', credentials);
  expect(await profileNames()).toEqual(['default', 'dev', 'ops']);
});

it('the stacks of the account, or none when nobody may list them', async () => {
  const aws = await new StubAws().open();
  try {
    for (const [name, value] of Object.entries(aws.envWithKey)) vi.stubEnv(name, value);
    for (const name of ['/petra/Petra/api', '/petra/Playground/api', '/petra/Petra/other']) {
      aws.parameters.set(name, '{}');
    }
    const find = () => new StackFinder({}, { env: aws.envWithKey, output: new Output({}) }).names();
    expect(await find()).toEqual(['Petra', 'Playground']);
    aws.mayRead = false;
    expect(await find()).toEqual([]);
  } finally {
    await aws.close();
  }
});
