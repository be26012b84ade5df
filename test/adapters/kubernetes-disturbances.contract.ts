import { describe, expect, test } from 'vitest';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { openRelay } from './kubernetes-relay.ts';
import { eventually, failureOf, type Scene } from './kubernetes-scene.ts';
import { openWebhook, type Reviewing, reviewed, type Webhook } from './kubernetes-webhook.ts';

/** Webhooks that fail, an API that throttles, dies, or lost a part of itself. */
export function disturbancesContract(scene: () => Scene): void {
  describe('a webhook', () => {
    const withWebhook = async (
      title: string,
      reviewing: Reviewing,
      body: (webhook: Webhook) => Promise<void>,
    ) => {
      const webhook = await openWebhook(scene(), title, reviewing);
      try {
        await body(webhook);
      } finally {
        await webhook.close();
      }
    };
    /** The failure of an apply, as soon as the API asks the webhook. */
    const failing = ({ labels }: Webhook, name: string) =>
      eventually(async () => {
        const { kubernetes, widget } = scene();
        return failureOf(kubernetes.apply(widget(name, { size: 1 }, { labels })));
      });

    test('that denies an object is named, with its own words and the problem of each field', async () => {
      const causes = [
        { reason: 'FieldValueInvalid', field: 'spec.size', message: 'Invalid value: 1: too small' },
      ];
      const status = { code: 422, reason: 'Invalid', message: 'size 1 is too small', details: { causes } };
      const deny: Reviewing = ({ uid }, response) => response.end(reviewed(uid, { allowed: false, status }));
      await withWebhook('denying', deny, async (webhook) => {
        const failure = await failing(webhook, 'denied');
        expect(failure).toMatchObject({
          code: 'ObjectRefused',
          retryable: false,
          evidence: ['spec.size: Invalid value: 1: too small'],
          details: { webhook: webhook.name, status: 422 },
        });
        expect(failure.message).toContain(
          `admission webhook "${webhook.name}" denied the request: size 1 is too small`,
        );
      });
    });

    test('sees the object as it would be stored, also in a dry run', async () => {
      const seen: unknown[] = [];
      const allow: Reviewing = ({ uid, object }, response) => {
        seen.push(object);
        response.end(reviewed(uid, { allowed: true }));
      };
      await withWebhook('seeing', allow, async ({ labels }) => {
        const { kubernetes, widget, request, widgetPath } = scene();
        const other = `${widgetPath('seen')}?fieldManager=other`;
        const tagged = widget('seen', { tags: ['x'] }, { labels });
        await request('PATCH', other, tagged, 'application/apply-patch+yaml');
        await eventually(async () => {
          await kubernetes.apply(widget('seen', { size: 4 }, { labels }), { dryRun: true });
          return seen.length > 0 ? seen : undefined;
        });
        expect(seen.at(-1)).toMatchObject({
          metadata: { name: 'seen' },
          spec: { size: 4, colour: 'grey', tags: ['x'] },
        });
      });
    });

    test('that answers 500 is unavailable, which may be retried', async () => {
      const fail: Reviewing = (_review, response) => response.writeHead(500).end('out of order');
      await withWebhook('failing', fail, async (webhook) => {
        const failure = await failing(webhook, 'failed');
        expect(failure).toMatchObject({
          code: 'WebhookUnavailable',
          retryable: true,
          details: { webhook: webhook.name, status: 500 },
        });
      });
    });

    test('that is not there is unavailable', async () => {
      const allow: Reviewing = ({ uid }, response) => response.end(reviewed(uid, { allowed: true }));
      await withWebhook('gone', allow, async (webhook) => {
        await webhook.stopListening();
        const failure = await failing(webhook, 'gone');
        expect(failure).toMatchObject({ code: 'WebhookUnavailable', details: { webhook: webhook.name } });
        expect(failure.message).toContain('connection refused');
      });
    });

    test('that does not answer in its time is unavailable, and nothing is stored', async () => {
      await withWebhook(
        'silent',
        () => undefined,
        async (webhook) => {
          const { kubernetes, widgetReference } = scene();
          const failure = await failing(webhook, 'unanswered');
          expect(failure).toMatchObject({
            code: 'WebhookUnavailable',
            retryable: true,
            details: { webhook: webhook.name },
          });
          expect(failure.message).toMatch(/context deadline exceeded|timeout/i);
          expect(await kubernetes.read(widgetReference('unanswered'))).toBeUndefined();
        },
      );
    });
  });

  test('an API that throttles a user for ever is given up, and others are served meanwhile', async () => {
    const { underTest, kubernetes, mapReference } = scene();
    const access = new HttpKubernetesAccess({ throttleRetries: 1 });
    const throttled = access.connect(await underTest.throttledUser());
    // A real API takes a moment to apply a new limit.
    const failure = await eventually(async () => {
      const one = await failureOf(throttled.read(mapReference('x')));
      return one.code === 'KubernetesThrottled' ? one : undefined;
    });
    expect(failure.retryable).toBe(true);
    expect(await kubernetes.read(mapReference('x'))).toBeUndefined();
  });

  test('a group of the API whose own server is missing is unreachable, rather than absent', async () => {
    const { kubernetes, group, namespace } = scene();
    const lost = `lost-${group}`;
    const service = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${lost}` },
      spec: {
        group: lost,
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'nowhere', namespace },
      },
    };
    await kubernetes.apply(service);
    try {
      const things = { apiVersion: `${lost}/v1`, kind: 'Thing' };
      const failure = await eventually(() => failureOf(kubernetes.list(things)));
      expect(failure).toMatchObject({
        code: 'KubernetesUnreachable',
        retryable: true,
        details: { status: 503 },
      });
    } finally {
      await kubernetes.remove({ ...service, name: service.metadata.name });
    }
  });

  describe('an API that dies', () => {
    test('in the middle of an apply is unreachable; applied again after its return, the object is there once', async () => {
      const { underTest, kubernetes, widget, widgetReference } = scene();
      let arrived = () => {};
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      let isSilent = true;
      const webhook = await openWebhook(scene(), 'holding', ({ uid }, response) => {
        if (!isSilent) response.end(reviewed(uid, { allowed: true }));
        else arrived();
      });
      try {
        const object = widget('interrupted', { size: 1 }, { labels: webhook.labels });
        // Until the API asks the webhook, applies succeed.
        const failure = eventually(() => failureOf(kubernetes.apply(object)));
        await arrival;
        await underTest.kill();
        expect(await failure).toMatchObject({ code: 'KubernetesUnreachable', retryable: true });
        isSilent = false;
        await underTest.restart();
        const first = await eventually(() => kubernetes.apply(object));
        const again = await kubernetes.apply(object);
        expect(again.metadata.uid).toBe(first.metadata.uid);
        expect((await kubernetes.read(widgetReference('interrupted')))?.spec).toMatchObject({ size: 1 });
      } finally {
        await webhook.close();
      }
    });

    test('between two pages of a list loses none of it', async () => {
      const { underTest, namespace, widgetReference, many } = scene();
      const { labelSelector, names } = await many();
      let restarts = 0;
      const relay = await openRelay(underTest.kubeconfig, async ({ path }, pass) => {
        if (path.includes('continue=') && restarts === 0) {
          restarts += 1;
          await underTest.kill();
          await underTest.restart();
        }
        return pass();
      });
      try {
        const listed = await new HttpKubernetesAccess()
          .connect(relay.kubeconfig)
          .list(widgetReference(''), { namespace, labelSelector });
        expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
        expect(restarts).toBe(1);
      } finally {
        await relay.close();
      }
    });

    test('and comes back serves the same client on, with everything that was there', async () => {
      const { underTest, kubernetes, widget, widgetReference, mapReference } = scene();
      const applied = await kubernetes.apply(widget('lasting', { size: 5 }));
      await underTest.kill();
      const failure = await failureOf(kubernetes.read(mapReference('x')));
      expect(failure).toMatchObject({ code: 'KubernetesUnreachable', retryable: true });
      await underTest.restart();
      const read = await eventually(() => kubernetes.read(widgetReference('lasting')));
      expect(read).toMatchObject({ metadata: { uid: applied.metadata.uid }, spec: { size: 5 } });
    });
  });
}
