import { artifactsContract } from '../adapters/artifacts.contract.ts';
import { machinesContract } from '../adapters/machines.contract.ts';
import { networksContract } from '../adapters/networks.contract.ts';
import { secretsContract } from '../adapters/secrets.contract.ts';
import { taggedResourcesContract } from '../adapters/tagged-resources.contract.ts';
import { cloudOf } from './cloud-fixture.ts';

async function open() {
  const cloud = cloudOf();
  cloud.start();
  return { ...cloud, region: 'us-west-1', instanceType: 'm5a.large', close: () => cloud.stop() };
}

machinesContract('the simulated cloud', open);
networksContract('the simulated cloud', open);
secretsContract('the simulated cloud', open);
artifactsContract('the simulated cloud', open);
taggedResourcesContract('the simulated cloud', open);
