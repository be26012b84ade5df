// Bad days of a management cluster: controllers are killed, its API goes away, CAPA is refused what it asks of AWS, and
// Cluster API loses sight of a network.
// Petra ends or resumes as designed, and what it says is what the controllers say.

import { setTimeout as sleep } from 'node:timers/promises';
import { connectIam } from '../../adapters/iam-client.ts';
import { capaTag } from '../../core/capi/capa-tag.ts';
import { clusterNamespace } from '../../core/capi/translate-cluster.ts';
import type { PlannedFault } from '../virtual-account/edge-faults.ts';
import { FleetRecords } from '../virtual-account/fleet-records.ts';
import { taggedThings } from '../virtual-account/leftovers.ts';
import { expectPetra } from '../virtual-account/petra-command.ts';
import { workload } from '../virtual-account/specs.ts';
import { expectNothing } from '../virtual-account/story.ts';
import { ApiRequests } from './api-requests.ts';
import { ClusterMoments } from './cluster-moments.ts';
import { takeInstanceProfile } from './instance-profile.ts';
import type { StandInKubelet } from './kubelet.ts';
import { expectLaunches } from './launches.ts';
import { stepFunctionsSpeed } from './real-account.ts';
import { initManagement, type Management, managementName, type Stage } from './story.ts';
import { eventually } from './trial-namespace.ts';

const outageMilliseconds = 30_000;
/** Of controllers, when the API is back. */
const returnLimitMilliseconds = 120_000;

const controllers = {
  core: { namespace: 'capi-system', name: 'capi-controller-manager' },
  controlPlane: {
    namespace: 'capi-k3s-control-plane-system',
    name: 'capi-k3s-control-plane-controller-manager',
  },
  bootstrap: { namespace: 'capi-k3s-bootstrap-system', name: 'capi-k3s-bootstrap-controller-manager' },
  capa: { namespace: 'capa-system', name: 'capa-controller-manager' },
} as const;

/** Of workers; CAPA's servers have another. */
const profileOfWorkers = 'nodes.cluster-api-provider-aws.sigs.k8s.io';

/** There is none of it until somebody says so. */
const scarceType = 'm5a.xlarge';

const machinesOfEach = 3;

/** No network has this name. */
const lostNetwork = 'lost';

/** `init` of which the API goes away while Petra waits for the controllers, as soon as one of them runs. */
export async function initWithoutApi(stage: Stage): Promise<Management> {
  const { real, step } = stage;
  let hasEnded = false;
  const init = initManagement(stage).finally(() => {
    hasEnded = true;
  });
  const isCoreRunning = () =>
    real.kubelets
      .get(managementName)
      ?.pods()
      .some(({ namespace, pid }) => namespace === controllers.core.namespace && pid !== undefined);
  const outage = async () => {
    while (!isCoreRunning()) {
      if (hasEnded) throw new Error('init ended before its API could be taken away');
      await sleep(100);
    }
    await step('init: the API is gone', () => withoutApi(stage, managementName, managementName));
  };
  const [management] = await Promise.all([init, outage()]);
  return management;
}

export async function badDays(stage: Stage, management: Management): Promise<void> {
  const { account, step } = stage;
  const day = new BadDay(stage, management);
  const shy = day.cluster('bad-profile', { refusal: 'Invalid IAM Instance Profile' });
  const scarce = day.cluster('bad-capacity', { type: scarceType, refusal: 'InsufficientInstanceCapacity' });
  const half = day.cluster('bad-half', { type: scarceType, refusal: 'InsufficientInstanceCapacity' });
  const hurt = day.cluster('bad-kills');

  const putBack = await takeInstanceProfile(connectIam(account.moto.config), profileOfWorkers);
  const shortage = await day.runOutOf(scarceType);
  await Promise.all([
    // It needs the profile as well, and so it is not ready before the API goes away.
    step('create, with controllers killed and the API gone', () => hurt.create()),
    (async () => {
      await Promise.all([
        step('create: controllers are killed', () => hurt.killDuringCreate()),
        step('create, refused by AWS', () =>
          Promise.all([shy, scarce, half].map((cluster) => cluster.createInVain())),
        ),
      ]);
      if (shortage.happened === 0) throw new Error(`nothing of ${scarceType} was asked for`);
      await putBack();
      await day.restock();
      await step('create: the API is gone', () => withoutApi(stage, management.name, hurt.name));
      await step('controllers are back', () => day.controllersAreBack());
      await Promise.all([
        step('the same command, when the instance profile is back', () => shy.create()),
        step('the same command, when there is capacity', () => scarce.create()),
        step('delete of what was half made, and lost its network', async () => {
          await half.loseNetwork();
          await half.delete();
        }),
      ]);
    })(),
  ]);
  for (const { name } of [shy, scarce, hurt]) await expectLaunches(account.moto, name, machinesOfEach);
  await Promise.all([
    step('delete', () => Promise.all([shy.delete(), scarce.delete(), hurt.delete()])),
    step('delete: controllers are killed', () => hurt.killDuringDelete()),
  ]);
  for (const { name } of [shy, scarce, half, hurt])
    expectNothing(await taggedThings(account.moto, capaTag(name).key), `after delete of ${name}`);
}

/** Petra goes on waiting meanwhile: the operation of `waiting` says for what. */
async function withoutApi({ real, account }: Stage, management: string, waiting: string): Promise<void> {
  const api = await real.management.api(management);
  // The outage is as long as on AWS, and so must be the time for which a step is tried again.
  await account.moto.setSpeed(1);
  await api.stop();
  await sleep(outageMilliseconds);
  await expectOperation(account, waiting, ['"Running"', 'cannot be reached']);
  await api.start();
  await account.moto.setSpeed(stepFunctionsSpeed);
}

/** What is said of the latest operation on a cluster. */
async function expectOperation(
  account: Stage['account'],
  cluster: string,
  says: readonly string[],
): Promise<void> {
  const { operation } = await new FleetRecords(account).cluster(cluster);
  await expectPetra(account, 'reader', ['capi', 'operations', operation.id, '-o', 'json'], { says });
}

function kubeletOf({ real }: Stage, { name }: Management): StandInKubelet {
  const kubelet = real.kubelets.get(name);
  if (!kubelet) throw new Error(`nothing runs Pods of ${name}`);
  return kubelet;
}

class BadDay {
  readonly #stage: Stage;
  readonly #management: Management;

  constructor(stage: Stage, management: Management) {
    this.#stage = stage;
    this.#management = management;
  }

  cluster(name: string, options: { readonly type?: string; readonly refusal?: string } = {}): BadCluster {
    return new BadCluster(this.#stage, this.#management, name, options);
  }

  /** Whatever CAPA launches of this type is refused, until there is some again. */
  async runOutOf(InstanceType: string): Promise<PlannedFault> {
    return this.#stage.account.edge.faults.add({
      cluster: await this.#machine(),
      verb: 'node',
      action: 'ec2:RunInstances',
      form: 'capacity',
      times: Number.POSITIVE_INFINITY,
      only: { InstanceType },
    });
  }

  async restock(): Promise<void> {
    this.#stage.account.edge.faults.clear(await this.#machine());
  }

  /** They ended while they could not reach the API, and their webhooks with them. */
  async controllersAreBack(): Promise<void> {
    const kubelet = kubeletOf(this.#stage, this.#management);
    const deadline = Date.now() + returnLimitMilliseconds;
    for (;;) {
      const missing = kubelet.pods().filter(({ isReady }) => !isReady);
      if (missing.length === 0) return;
      if (Date.now() > deadline)
        throw new Error(`not back in time: ${missing.map(({ name }) => name).join(', ')}`);
      await sleep(200);
    }
  }

  /** On whose behalf CAPA works. */
  async #machine(): Promise<string> {
    const records = new FleetRecords(this.#stage.account);
    const machines = await records.living(await records.cluster(this.#management.name));
    const id = machines.find(({ type, key }) => type === 'instance' && key === 'server-0')?.id;
    if (id === undefined) throw new Error(`the ledger knows no server of ${this.#management.name}`);
    return id;
  }
}

/** A workload cluster to which bad things happen. */
class BadCluster {
  readonly name: string;
  readonly #stage: Stage;
  readonly #management: Management;
  readonly #file: string;
  readonly #refusal: string;
  readonly #moments: ClusterMoments;

  constructor(
    stage: Stage,
    management: Management,
    name: string,
    { type, refusal = '' }: { readonly type?: string; readonly refusal?: string },
  ) {
    this.name = name;
    this.#stage = stage;
    this.#management = management;
    this.#file = workload(stage.account.folder, name, type);
    this.#refusal = refusal;
    this.#moments = new ClusterMoments(management.kubeconfig, name);
  }

  async create(): Promise<void> {
    await expectPetra(this.#stage.account, 'operator', this.#createCommand);
    await this.#stage.secrets.learn(this.#stage.account);
  }

  async delete(): Promise<void> {
    await expectPetra(this.#stage.account, 'admin', ['capi', 'delete', '-f', this.#file, '--yes']);
  }

  /** The command ends with what CAPA says, once there was no more time; so say the others. */
  async createInVain(): Promise<void> {
    const { account } = this.#stage;
    const says = ['AWSMachine', this.#refusal];
    const ended = expectPetra(account, 'operator', this.#createCommand, {
      code: 6,
      says: ['ClusterTimedOut', ...says],
    });
    await Promise.race([ended, this.#moments.isRefused(this.#refusal)]);
    account.host.end({ cluster: this.name, function: 'create/check-cluster' });
    await ended;
    await expectPetra(account, 'reader', ['capi', 'describe', this.name], { says });
    await expectOperation(account, this.name, ['ClusterTimedOut', ...says]);
  }

  /** Each controller once, when it is in the middle of its work, and before that Petra mends a Cluster. */
  async killDuringCreate(): Promise<void> {
    await this.#moments.hasVpc();
    await this.loseNetwork();
    await this.#moments.hasNetworkOtherThan(lostNetwork);
    await Promise.all([this.#kill('capa'), this.#kill('core')]);
    await this.#moments.hasBootstrapConfig();
    await this.#kill('bootstrap');
    await this.#moments.hasInstance();
    await this.#kill('controlPlane');
  }

  /** As Cluster API itself does when it is busy: the Cluster refers to a network that does not exist, and its own goes on. */
  async loseNetwork(): Promise<void> {
    const requests = ApiRequests.of(this.#management.kubeconfig, 'bad-days');
    const path = `/apis/cluster.x-k8s.io/v1beta1/namespaces/${clusterNamespace}/clusters/${this.name}`;
    await eventually(`${this.name} refers to no network`, async () => {
      try {
        await requests.merge(path, { spec: { infrastructureRef: { name: lostNetwork } } });
        return true;
      } catch (error) {
        // A controller runs a moment before the API server knows where to call its webhooks.
        if (String(error).includes('failed calling webhook')) return false;
        throw error;
      }
    });
  }

  async killDuringDelete(): Promise<void> {
    await this.#moments.losesMachine();
    const all = ['capa', 'core', 'bootstrap', 'controlPlane'] as const;
    await Promise.all(all.map((controller) => this.#kill(controller)));
  }

  /** One that has just ended by itself is killed when it runs again. */
  async #kill(controller: keyof typeof controllers): Promise<void> {
    const kubelet = kubeletOf(this.#stage, this.#management);
    const { namespace, name } = controllers[controller];
    const isRunning = () =>
      kubelet.pods().some((pod) => pod.namespace === namespace && pod.name === name && pod.pid !== undefined);
    const deadline = Date.now() + returnLimitMilliseconds;
    while (!isRunning() && Date.now() < deadline) await sleep(100);
    kubelet.kill({ namespace, name }, 'SIGKILL');
  }

  get #createCommand(): readonly string[] {
    return ['capi', 'create', '-f', this.#file];
  }
}
