import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EC2Client,
  type Filter,
  GetConsoleOutputCommand,
  type Instance,
  type InstanceStateName,
  paginateDescribeInstances,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { PetraError } from '../core/errors.ts';
import { progressTag } from '../core/management/node-script.ts';
import { packUserData } from '../core/management/user-data-size.ts';
import type { Architecture, InstanceType, Machine, MachineRequest, Machines } from '../core/ports.ts';
import { isNamed, translatingAwsErrors } from './aws-errors.ts';
import { consoleLines } from './console-lines.ts';
import { type Ec2MachineSettings, launchInput, launchToken } from './ec2-launch.ts';
import { offeringsOf, typesOf, zonesOf } from './ec2-regions.ts';
import { filtersFor, tagOf } from './ec2-tags.ts';
import { findNodeImage, type NodeImageSettings } from './node-images.ts';
import { placeOf, subnetsByZone } from './node-subnets.ts';

/** How often a launch that met an ended machine goes on to the next token. More ends of one name in a day are no accident. */
const launchAttempts = 10;

/** How long a machine that EC2 made may take to be found by its tags: it is usually there within a second. */
const looksForNewMachine = 4;
const lookPauseMilliseconds = 1_000;

/** EC2 takes up to a thousand; smaller requests are throttled less, and one bad id concerns fewer. */
const terminationsAtOnce = 100;

const states: Readonly<Record<InstanceStateName, Machine['state']>> = {
  pending: 'pending',
  running: 'running',
  'shutting-down': 'stopping',
  stopping: 'stopping',
  stopped: 'stopping',
  terminated: 'terminated',
};

/** Management nodes as EC2 instances. */
export class Ec2Machines implements Machines {
  readonly #clients: {
    readonly ec2: (region: string) => EC2Client;
    readonly ssm: (region: string) => SSMClient;
  };
  readonly #settings: Ec2MachineSettings & { readonly images: NodeImageSettings };

  /** Settings are read only by `launch` and `image`. */
  constructor(
    clients: {
      readonly ec2: (region: string) => EC2Client;
      readonly ssm: (region: string) => SSMClient;
    },
    settings: Ec2MachineSettings & { readonly images: NodeImageSettings },
  ) {
    this.#clients = clients;
    this.#settings = settings;
  }

  async offerings(
    region: string,
    instanceTypes: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    return translatingAwsErrors(`list instance types of ${region}`, () =>
      offeringsOf(this.#clients.ec2(region), instanceTypes),
    );
  }

  async types(region: string, instanceTypes: readonly string[]): Promise<ReadonlyMap<string, InstanceType>> {
    return translatingAwsErrors(`describe instance types of ${region}`, () =>
      typesOf(this.#clients.ec2(region), instanceTypes),
    );
  }

  async image(region: string, architecture: Architecture): Promise<string> {
    const { id } = await translatingAwsErrors(`find the image of ${architecture} nodes in ${region}`, () =>
      this.#image(region, architecture),
    );
    return id;
  }

  async zones(region: string): Promise<readonly string[]> {
    return translatingAwsErrors(`list the zones of ${region}`, () => zonesOf(this.#clients.ec2(region)));
  }

  async launch(request: MachineRequest): Promise<Machine> {
    return translatingAwsErrors(`launch ${request.name} of ${request.cluster}`, async () => {
      packUserData(request);
      const known = await find(this.#clients.ec2(request.region), filtersFor(request));
      const living = known.find(isAlive) ?? (await this.#launchNew(request, known));
      return shown(living, request);
    });
  }

  async list(region: string, uid: string): Promise<readonly Machine[]> {
    const instances = await translatingAwsErrors(`list the machines of ${uid}`, () =>
      find(this.#clients.ec2(region), filtersFor({ uid })),
    );
    return instances.filter(({ State }) => State?.Name !== 'terminated').map((instance) => shown(instance));
  }

  async terminate(region: string, ids: readonly string[]): Promise<void> {
    const client = this.#clients.ec2(region);
    for (let start = 0; start < ids.length; start += terminationsAtOnce) {
      const some = ids.slice(start, start + terminationsAtOnce);
      await translatingAwsErrors(`terminate ${some.join(', ')}`, () => terminateThere(client, some));
    }
  }

  async consoleOutput(region: string, id: string): Promise<readonly string[]> {
    return translatingAwsErrors(`read the console of ${id}`, async () => {
      const client = this.#clients.ec2(region);
      const read = (Latest: boolean) => client.send(new GetConsoleOutputCommand({ InstanceId: id, Latest }));
      try {
        const { Output } = await read(true).catch((error: unknown) => {
          // Types of before Nitro keep only what they wrote shortly after a start or an end.
          if (isNamed(error, 'UnsupportedOperation', 'IncorrectInstanceState')) return read(false);
          throw error;
        });
        return consoleLines(Buffer.from(Output ?? '', 'base64').toString());
      } catch (error) {
        if (isNamed(error, 'InvalidInstanceID.NotFound')) return [];
        throw error;
      }
    });
  }

  async #image(region: string, architecture: Architecture) {
    const clients = { ec2: this.#clients.ec2(region), ssm: this.#clients.ssm(region) };
    return findNodeImage(clients, region, architecture, this.#settings.images);
  }

  async #launchNew(request: MachineRequest, known: readonly Instance[]): Promise<Instance> {
    const stopped = known.find(({ State }) => State?.Name === 'stopped' || State?.Name === 'stopping');
    if (stopped) throw stoppedMachine(request, stopped);
    const input = await this.#launchInput(request);
    const ended = new Set(known.flatMap(({ InstanceId }) => InstanceId ?? []));
    for (let attempt = 1; attempt <= launchAttempts; attempt += 1) {
      const token = launchToken(request, ended);
      const answer = await this.#run(request, { ...input, ClientToken: token });
      const id = answer?.InstanceId ?? token;
      if (answer && isAlive(answer) && !ended.has(id)) return answer;
      // The token belongs to a machine that has ended: the next one is of this end, too.
      ended.add(ended.has(id) ? token : id);
    }
    throw new PetraError(
      'AwsUnavailable',
      `cannot launch ${request.name} of ${request.cluster}: EC2 answers ${launchAttempts} times with a machine that has ended`,
    );
  }

  /** The machine of the token, ended ones included; undefined when it has ended and cannot be seen any more. */
  async #run(request: MachineRequest, input: RunInstancesCommandInput): Promise<Instance | undefined> {
    const client = this.#clients.ec2(request.region);
    try {
      const { Instances } = await client.send(new RunInstancesCommand(input));
      return Instances?.[0];
    } catch (error) {
      if (isNamed(error, 'IdempotentInstanceTerminated')) return undefined;
      if (!isNamed(error, 'IdempotentParameterMismatch')) throw error;
    }
    // The token has a machine of other parameters: there is a newer image since, or a newer Petra. If it lives, it is
    // the one that is wanted, but it may be so new that it is not found yet. One that has ended is found until it
    // loses its tags, which may be soon.
    for (let look = 1; look <= looksForNewMachine; look += 1) {
      const known = await find(client, filtersFor(request));
      const living = known.find(isAlive);
      if (living) return living;
      const ended = known.find(({ ClientToken }) => ClientToken === input.ClientToken);
      if (ended) return ended;
      if (look < looksForNewMachine) await sleep(lookPauseMilliseconds);
    }
    return undefined;
  }

  async #launchInput(request: MachineRequest): Promise<RunInstancesCommandInput> {
    const { region, instanceType, interfaceId } = request;
    const client = this.#clients.ec2(region);
    const type = (await typesOf(client, [instanceType])).get(instanceType);
    if (!type)
      throw new PetraError('InstanceTypeNotOffered', `${region} does not offer ${instanceType}`, {
        details: { instanceType },
      });
    const [image, subnetId] = await Promise.all([
      this.#image(region, type.architecture),
      interfaceId === undefined ? this.#subnet(client, request) : undefined,
    ]);
    return launchInput(request, this.#settings, image, subnetId);
  }

  /**
   * A subnet whose zone offers the type, always the same for a name: EC2 counts a `ClientToken` by zone, so that a
   * repetition in another one would make a second machine.
   */
  async #subnet(client: EC2Client, { region, name, instanceType }: MachineRequest): Promise<string> {
    const [subnets, offered] = await Promise.all([
      subnetsByZone(client, this.#settings.subnetIds),
      offeringsOf(client, [instanceType]),
    ]);
    const zones = offered.get(instanceType) ?? [];
    const places = [...subnets].filter(([zone]) => zones.includes(zone)).map(([, subnet]) => subnet);
    if (places.length > 0) return placeOf(name, places);
    const own = [...subnets.keys()].join(', ');
    throw new PetraError(
      'InstanceTypeNotOffered',
      zones.length === 0
        ? `${region} does not offer ${instanceType}`
        : `${instanceType} is offered in ${zones.join(', ')}, and the subnets of the nodes are in ${own}`,
    );
  }
}

/**
 * Ends those that are there. EC2 ends none of a request in which one is unknown; and who may only end what has Petra's
 * tags is refused for one that is gone, since its tags went with it.
 */
async function terminateThere(client: EC2Client, ids: readonly string[]): Promise<void> {
  let left = ids;
  while (left.length > 0) {
    try {
      await client.send(new TerminateInstancesCommand({ InstanceIds: [...left] }));
      return;
    } catch (error) {
      if (isNamed(error, 'OperationNotPermitted')) throw protectedMachine(error);
      if (!isNamed(error, 'InvalidInstanceID.NotFound', 'UnauthorizedOperation')) throw error;
      const there = await find(client, [{ Name: 'instance-id', Values: [...left] }]);
      const living = there.filter(({ State }) => State?.Name !== 'terminated');
      if (living.length === left.length) throw error;
      left = living.flatMap(({ InstanceId }) => InstanceId ?? []);
    }
  }
}

async function find(client: EC2Client, Filters: Filter[]): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client }, { Filters }))
    instances.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
  return instances;
}

function protectedMachine(error: Error): PetraError {
  return new PetraError('AwsAccessDenied', `someone protects a machine from its end: ${error.message}`, {
    cause: error,
    fix: 'Turn off the termination protection of the instance in the message, then repeat the command.',
  });
}

function isAlive({ State }: Instance): boolean {
  return State?.Name === 'pending' || State?.Name === 'running';
}

function stoppedMachine({ cluster, name }: MachineRequest, { InstanceId }: Instance): PetraError {
  return new PetraError(
    'AwsUnavailable',
    `${name} of ${cluster} is there as ${InstanceId}, but someone has stopped it`,
    { fix: `Start ${InstanceId}, or terminate it to get a new machine; then repeat the command.` },
  );
}

/** The answer to a launch may lack tags, where the request knows the name. */
function shown(instance: Instance, request?: Pick<MachineRequest, 'name' | 'role'>): Machine {
  const name = request?.name ?? tagOf(instance, 'petra.sh/node') ?? '';
  const role = request?.role ?? (tagOf(instance, 'petra.sh/role') === 'server' ? 'server' : 'agent');
  const progress = tagOf(instance, progressTag);
  return {
    id: instance.InstanceId ?? '',
    name,
    role,
    state: states[instance.State?.Name ?? 'pending'],
    address: instance.PrivateIpAddress ?? '',
    ...(progress === undefined ? {} : { progress }),
  };
}
