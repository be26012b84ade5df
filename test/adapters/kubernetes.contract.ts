import { afterAll, beforeAll, describe } from 'vitest';
import { applyContract } from './kubernetes-apply.contract.ts';
import { disturbancesContract } from './kubernetes-disturbances.contract.ts';
import { listsContract } from './kubernetes-lists.contract.ts';
import { objectsContract } from './kubernetes-objects.contract.ts';
import { refusalsContract } from './kubernetes-refusals.contract.ts';
import { closeScene, type KubernetesUnderTest, openScene, type Scene } from './kubernetes-scene.ts';

/** What every Kubernetes API does, the simulated one and a real one, as Petra's adapter sees it. */
export function kubernetesContract(open: () => Promise<KubernetesUnderTest>): void {
  describe('a Kubernetes API', () => {
    let opened: Scene | undefined;
    const scene = (): Scene => {
      if (!opened) throw new Error('the scene is not open yet');
      return opened;
    };

    beforeAll(async () => {
      opened = await openScene(await open());
    });

    afterAll(async () => {
      if (!opened) return;
      await closeScene(opened);
      await opened.underTest.close();
    });

    describe('its objects', () => objectsContract(scene));
    describe('server-side apply', () => applyContract(scene));
    describe('what it refuses', () => refusalsContract(scene));
    describe('its lists and watches', () => listsContract(scene));
    describe('disturbed', () => disturbancesContract(scene));
  });
}
