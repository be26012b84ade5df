// Image overrides, for mirrors: the `images` section of clusterctl's configuration.

import { isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';
import { changeAt } from './provider-namespace.ts';
import type { ComponentKey } from './providers.ts';

export interface ImageOverride {
  /** Registry and path, without the image's own name. */
  readonly repository?: string;
  readonly tag?: string;
}

/** By `all`, `<component>` or `<component>/<image name>`; the more specific wins, field by field. */
export type ImageOverrides = Readonly<Record<string, ImageOverride>>;

/** The objects with the images of Deployments and DaemonSets overridden. */
export function overrideImages(
  objects: readonly KubernetesObject[],
  component: ComponentKey,
  overrides: ImageOverrides,
): readonly KubernetesObject[] {
  const changed = (container: unknown) =>
    isObject(container) && typeof container.image === 'string'
      ? { ...container, image: overrideImage(container.image, component, overrides) }
      : container;
  return objects.map((object) => {
    if (object.kind !== 'Deployment' && object.kind !== 'DaemonSet') return object;
    const pod = ['spec', 'template', 'spec'] as const;
    return changeAt(
      changeAt(object, [...pod, 'containers', '*'], changed),
      [...pod, 'initContainers', '*'],
      changed,
    );
  });
}

function overrideImage(image: string, component: ComponentKey, overrides: ImageOverrides): string {
  return image.replace(
    /^(?:(.*)\/)?([^/:@]*)(:[^@]*)?(@.*)?$/,
    (_, repository: string | undefined, name: string, tag = '', digest = '') => {
      const override: ImageOverride = {
        ...overrides.all,
        ...overrides[component],
        ...overrides[`${component}/${name}`],
      };
      const path = [override.repository?.replace(/\/$/, '') ?? repository, name].filter(Boolean).join('/');
      // The old digest would win over a new tag.
      return override.tag === undefined ? `${path}${tag}${digest}` : `${path}:${override.tag}`;
    },
  );
}
