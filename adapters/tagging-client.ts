import {
  ResourceGroupsTaggingAPIClient,
  type ResourceGroupsTaggingAPIClientConfig,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { awsCalls } from './aws-calls.ts';

/** A client of the Resource Groups Tagging API; `config` may name a region or an endpoint. */
export function connectTagging(
  config: ResourceGroupsTaggingAPIClientConfig = {},
): ResourceGroupsTaggingAPIClient {
  return new ResourceGroupsTaggingAPIClient({ ...awsCalls, ...config });
}
