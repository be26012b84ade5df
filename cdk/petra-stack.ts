// The whole of Petra in one account and region, as a list of its parts.

import { Aws, CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { Api, apiParameterName } from './api.ts';
import { petraDashboard } from './dashboard.ts';
import { readFunctionActions } from './function-actions.ts';
import { Network } from './network.ts';
import { NodeRoles, stackTag } from './node-roles.ts';
import { Alarms } from './observability.ts';
import { Schedule } from './schedule.ts';
import type { PetraSettings } from './settings.ts';
import { Storage } from './storage.ts';
import { functionSurroundings, operationVerbs } from './surroundings.ts';
import { Workflow } from './workflow.ts';

export interface PetraStackProps {
  readonly settings: PetraSettings;
  /** Where scripts/build-lambdas.ts puts the functions. */
  readonly bundles: string;
}

export class PetraStack extends Stack {
  constructor(scope: Construct, id: string, { settings, bundles }: PetraStackProps) {
    super(scope, id, { description: 'Petra: fleets of k3s clusters on AWS, through Cluster API' });
    Tags.of(this).add(stackTag, this.stackName);
    const facts = readFunctionActions();

    const storage = new Storage(this, settings);
    const network = new Network(this, settings, storage, facts);
    const nodeRoles = new NodeRoles(this, settings);
    const eventBus = petraEventBus(this, settings);
    const parts = { storage, network, nodeRoles, eventBus };
    const surroundings = functionSurroundings(this, settings, bundles, parts);

    const workflow = (verb: string) => new Workflow(this, verb, facts, surroundings).stateMachine;
    const machines = Object.fromEntries(operationVerbs.map((verb) => [verb, workflow(verb)]));
    const reconcile = workflow('reconcile');
    const api = new Api(this, facts, surroundings);
    const { deadLetters } = new Schedule(this, settings, reconcile);

    const watched = { machines: { ...machines, reconcile }, reconcile, httpApi: api.httpApi, deadLetters };
    const alarms = new Alarms(this, settings, watched);
    petraDashboard(this, watched, alarms.all);
    tellCli(this, settings, api);
    tellPeople(this, { api, storage, nodeRoles });
  }
}

function petraEventBus(scope: Construct, settings: PetraSettings): IEventBus {
  if (settings.eventBusName !== undefined)
    return EventBus.fromEventBusName(scope, 'Events', settings.eventBusName);
  const bus = new EventBus(scope, 'Events', {
    eventBusName: Stack.of(scope).stackName,
    description: 'What happens to clusters, for automation of your own.',
  });
  if (settings.eventArchiveDays > 0) {
    bus.archive('Archive', {
      eventPattern: { account: [Aws.ACCOUNT_ID] },
      retention: Duration.days(settings.eventArchiveDays),
    });
  }
  // As with Vpc: a class of the CDK that does not fit its own interface.
  return bus as IEventBus;
}

/** Where `petra config use-stack` finds the API. */
function tellCli(scope: Construct, { version }: PetraSettings, { httpApi }: Api): void {
  const { stackName, region, partition } = Stack.of(scope);
  new StringParameter(scope, 'ApiParameter', {
    parameterName: apiParameterName(stackName),
    description: 'Where the API of Petra is.',
    stringValue: Stack.of(scope).toJsonString({ endpoint: httpApi.apiEndpoint, region, version, partition }),
  });
}

function tellPeople(
  scope: Construct,
  {
    api,
    storage,
    nodeRoles,
  }: { readonly api: Api; readonly storage: Storage; readonly nodeRoles: NodeRoles },
): void {
  const output = (name: string, value: string, description: string) =>
    new CfnOutput(scope, name, { value, description });
  output('Endpoint', api.httpApi.apiEndpoint, 'The API.');
  output('FleetTable', storage.table.tableName, 'The fleet: clusters, operations, ledgers.');
  output('ArtifactsBucket', storage.bucket.bucketName, 'Release files.');
  output(
    'NodeRole',
    nodeRoles.managementRole.roleArn,
    'The role under which management nodes, and so CAPA, work.',
  );
  for (const [who, policy] of Object.entries(api.policies))
    output(`Petra${who}`, policy.managedPolicyArn, `Managed policy for callers: ${who.toLowerCase()}.`);
  output(
    'KeptOnDestroy',
    `${storage.table.tableName} ${storage.bucket.bucketName}`,
    'The table and the bucket: cdk destroy leaves both, and a later stack makes new ones. Management clusters and secrets under petra/ are not of this stack either; petra capi destroy removes them, before.',
  );
}
