// The Pod template of a Deployment: what its container runs, with which environment, arguments, ports and volumes.
// The types name only what the stand-in kubelet reads.

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

interface RunAs {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext?: RunAs;
}

interface KeyedFiles {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

export interface VolumeSource {
  readonly secret?: KeyedFiles & { readonly secretName?: string; readonly name?: string };
  readonly configMap?: KeyedFiles & { readonly name: string };
  readonly emptyDir?: object;
  readonly projected?: {
    readonly sources: readonly (Pick<VolumeSource, 'secret' | 'configMap'> & {
      readonly serviceAccountToken?: {
        readonly path: string;
        readonly audience?: string;
        readonly expirationSeconds?: number;
      };
    })[];
  };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes?: readonly ({ readonly name: string } & VolumeSource)[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly hostNetwork?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: RunAs;
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** What the templates of a Pod may ask of the Pod itself. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly address: string;
  readonly nodeAddress: string;
  readonly nodeName: string;
  readonly serviceAccount: string;
}

/** The user that distroless images name, under which all of these controllers are published. */
const nonRoot = 65532;

export function userOf(
  spec: PodSpec,
  container: Container,
): { readonly user: number; readonly group: number } {
  const user = container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? nonRoot;
  const group = container.securityContext?.runAsGroup ?? spec.securityContext?.runAsGroup ?? user;
  return { user, group };
}

/**
 * The container's variables on top of those that every container has.
 * @throws for a source of values that is not played here
 */
export function environmentOf(
  container: Container,
  pod: PodIdentity,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = { ...given };
  for (const { name, value, valueFrom } of container.env ?? []) {
    environment[name] = valueFrom
      ? fieldOf(pod, name, valueFrom.fieldRef?.fieldPath)
      : expand(value ?? '', environment);
  }
  return environment;
}

function fieldOf(pod: PodIdentity, variable: string, path: string | undefined): string {
  switch (path) {
    case 'metadata.namespace':
      return pod.namespace;
    case 'metadata.name':
      return pod.name;
    case 'metadata.uid':
      return pod.uid;
    case 'spec.serviceAccountName':
      return pod.serviceAccount;
    case 'spec.nodeName':
      return pod.nodeName;
    case 'status.podIP':
      return pod.address;
    case 'status.hostIP':
      return pod.nodeAddress;
    default:
      throw new Error(
        `env ${variable}: the stand-in kubelet has no value from ${path ?? 'other than fields'}`,
      );
  }
}

/** The words of the container's command: its own or the image's, then its arguments. */
export function commandOf(
  container: Container,
  imageCommand: readonly string[],
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const command = container.command?.length ? container.command : imageCommand;
  return [...command, ...(container.args ?? [])].map((word) => expand(word, environment));
}

/** `$(NAME)` is the variable's value, or itself where there is none; `$$` is one `$` (Kubernetes, third_party/forked/golang/expansion). */
function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (found, name?: string) =>
    name === undefined ? '$' : (environment[name] ?? found),
  );
}

/** The number of a port that may be named. */
export function portOf(
  containers: readonly Container[],
  port: number | string | undefined,
): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port)?.containerPort;
}
