import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpsReleases, type HttpsReleasesOptions } from '../../adapters/https-releases.ts';
import { Certificates } from '../../local/kubernetes/certificates.ts';

const asset = { repository: 'org/project', version: 'v1.2.3', file: 'components.yaml' };
const manifest = 'kind: Namespace # ümläut\n';

describe('releases over HTTPS', () => {
  let folder: string;
  let authority: string;
  let base: string;
  let plainBase: string;
  let close: () => void;
  /** What the server answers, request by request; the last answer stays. */
  let answers: RequestListener[];
  let asked: (string | undefined)[];
  let waits: number[];

  const listener: RequestListener = (request, response) => {
    asked.push(request.url);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'petra-releases-'));
    const identity = await new Certificates(folder).server();
    authority = identity.authority;
    const servers = [
      createServer({ cert: identity.certificate, key: identity.key }, listener),
      createHttpServer(listener),
    ];
    const ports = [];
    for (const server of servers) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      // A server that listens on TCP has an address with a port.
      ports.push((server.address() as AddressInfo).port);
    }
    base = `https://127.0.0.1:${ports[0]}`;
    plainBase = `http://127.0.0.1:${ports[1]}`;
    close = () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    };
  });
  afterAll(async () => {
    close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    answers = [];
    asked = [];
    waits = [];
  });

  function releases(baseUrl = base, more: HttpsReleasesOptions = {}): HttpsReleases {
    const wait = async (milliseconds: number) => void waits.push(milliseconds);
    return new HttpsReleases({ baseUrl, authority, wait, ...more });
  }

  function ok(content: string | Buffer, headers: Readonly<Record<string, string>> = {}): RequestListener {
    return (_, response) => response.writeHead(200, headers).end(content);
  }

  function status(code: number, headers: Readonly<Record<string, string>> = {}): RequestListener {
    return (_, response) => response.writeHead(code, headers).end('no');
  }

  it("are read from GitHub's layout under the mirror's address", async () => {
    answers = [ok(manifest)];
    expect(await releases(`${base}/mirror/`).fetch(asset)).toBe(manifest);
    expect(asked).toEqual(['/mirror/org/project/releases/download/v1.2.3/components.yaml']);
    expect(releases().kind).toBe('mirror');
    expect(new HttpsReleases().kind).toBe('upstream');
  });

  it('follow redirects, relative ones as well, to encrypted places only', async () => {
    answers = [
      status(302, { location: '/elsewhere' }),
      status(307, { location: `${base}/here` }),
      ok(manifest),
    ];
    expect(await releases().fetch(asset)).toBe(manifest);
    expect(asked.slice(1)).toEqual(['/elsewhere', '/here']);
    answers = [status(302, { location: `${plainBase}/here?signature=secret` }), ok(manifest)];
    const refused = releases().fetch(asset);
    await expect(refused).rejects.toMatchObject({ code: 'ReleaseUnreachable' });
    await expect(refused).rejects.not.toThrow('secret');
  });

  it('do not follow redirects for ever', async () => {
    answers = [status(302, { location: '/again' })];
    await expect(releases().fetch(asset)).rejects.toThrow('redirects more than 5 times');
    expect(asked).toHaveLength(6);
  });

  it('that do not exist are not asked for twice', async () => {
    answers = [status(404)];
    await expect(releases().fetch(asset)).rejects.toMatchObject({
      code: 'ReleaseNotFound',
      message: `there is no ${base}/org/project/releases/download/v1.2.3/components.yaml`,
    });
    expect(asked).toHaveLength(1);
  });

  it('are tried again while the server is in trouble, later each time', async () => {
    answers = [status(503), status(429), (request) => request.destroy(), ok(manifest)];
    expect(await releases().fetch(asset)).toBe(manifest);
    expect(waits).toHaveLength(3);
    for (const [index, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(500 * 2 ** index);
  });

  it('wait as long as the server asks for, but not for hours', async () => {
    answers = [status(429, { 'retry-after': '7' }), status(503, { 'retry-after': '3600' }), ok(manifest)];
    await releases().fetch(asset);
    expect(waits).toEqual([7_000, 10_000]);
  });

  it('are given up after four attempts', async () => {
    answers = [status(502)];
    await expect(releases().fetch(asset)).rejects.toMatchObject({
      code: 'ReleaseUnreachable',
      message: expect.stringContaining('in 4 attempts: the answer was 502 Bad Gateway'),
    });
    expect(asked).toHaveLength(4);
  });

  it('that are refused are not asked for twice', async () => {
    answers = [status(403)];
    await expect(releases().fetch(asset)).rejects.toThrow('the answer was 403 Forbidden');
    expect(asked).toHaveLength(1);
  });

  it('that end too early are tried again', async () => {
    const half: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      response.destroy();
    };
    answers = [half, ok(manifest)];
    expect(await releases().fetch(asset)).toBe(manifest);
  });

  it('that do not come in time are tried again, whether the answer is late or its end', async () => {
    const silent: RequestListener = () => {};
    const slow: RequestListener = (_, response) => void response.writeHead(200).write('begun');
    answers = [silent, slow];
    await expect(releases(base, { attemptLimitMilliseconds: 200 }).fetch(asset)).rejects.toMatchObject({
      code: 'ReleaseUnreachable',
      message: expect.stringContaining('in 4 attempts: no answer in 0.2 s'),
    });
    expect(asked).toHaveLength(4);
  });

  it('that are too large are not read to their end', async () => {
    answers = [ok(Buffer.alloc(17 * 1024 * 1024, 'x'))];
    await expect(releases().fetch(asset)).rejects.toThrow('larger than the 16777216 bytes');
  });

  it.each([
    ['a web page', ok('<!DOCTYPE html><title>Sign in</title>')],
    ['a web page', ok('\n<html>')],
    ['a web page', ok('hello', { 'content-type': 'text/html; charset=utf-8' })],
    ['empty', ok(' \n')],
    ['not text in UTF-8', ok(Buffer.from([0x1f, 0x8b, 0x08, 0x00]))],
  ])('must be text of a release: not what is %s', async (what, answer) => {
    answers = [answer];
    const refused = releases().fetch(asset);
    await expect(refused).rejects.toMatchObject({ code: 'ReleaseCorrupt' });
    await expect(refused).rejects.toThrow(what);
  });

  it('must come from a server whose certificate is known', async () => {
    answers = [ok(manifest)];
    const strict = new HttpsReleases({ baseUrl: base, wait: async () => {} });
    await expect(strict.fetch(asset)).rejects.toMatchObject({ code: 'ReleaseUnreachable' });
    expect(asked).toEqual([]);
  });

  it('come unencrypted from this machine only', async () => {
    answers = [ok(manifest)];
    expect(await releases(plainBase).fetch(asset)).toBe(manifest);
    for (const address of [
      'http://mirror.example',
      'ftp://mirror.example',
      'mirror',
      'https://me:secret@mirror.example',
    ]) {
      const refused = releases(address).fetch(asset);
      await expect(refused).rejects.toMatchObject({ code: 'ReleaseUnreachable' });
      await expect(refused).rejects.not.toThrow('secret');
    }
  });
});
