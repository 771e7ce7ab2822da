import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../gateway/src/config.ts';
import { useOverrides } from '@hitmachine/service';
import {
  containersOf,
  dangling,
  notRestricted,
  ofKind,
  podsOf,
  probesOf,
  selectsNothing,
} from './support/manifests.ts';
import { readUnit, valueOf } from './support/unit-file.ts';
import type { Tree } from './support/yaml-files.ts';
import { KUBECTL_MISSING, at, entriesAt, kustomize, listAt, wordsAt } from './support/yaml-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifests = join(root, 'deploy/kubernetes');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Paths that routes of a service serve, read from its sources. */
const routesOf = (service: string): Set<string> =>
  new Set(
    globSync(`${service}/src/routes/*.ts`, { cwd: root }).flatMap((file) =>
      [...read(file).matchAll(/\bpath: '(\/[^']*)'/g)].map(([, path]) => path ?? ''),
    ),
  );

describe.skipIf(KUBECTL_MISSING !== undefined)(`kustomize (${KUBECTL_MISSING ?? 'there'})`, () => {
  const overlays = globSync('*/overlays/*', { cwd: manifests }).sort();

  it('has overlays to build', () => {
    expect(overlays).toEqual([
      ...['desk', 'enrol', 'init', 'production', 'replicas', 'replicas-enrol'].map(
        (name) => `agent/overlays/${name}`,
      ),
      ...['init', 'production', 'replicas'].map((name) => `gateway/overlays/${name}`),
    ]);
  });

  describe.each(KUBECTL_MISSING === undefined ? overlays : [])('%s', (overlay) => {
    let built: Tree[];
    const service = overlay.split('/')[0] === 'gateway' ? 'gateway' : 'agent';
    beforeAll(() => {
      built = kustomize(join(manifests, overlay));
    });

    it('makes pods that the profile "restricted" lets in, and a namespace that insists on it', () => {
      expect(podsOf(built).length).toBeGreaterThan(0);
      expect(podsOf(built).flatMap(notRestricted)).toEqual([]);
      const [namespace] = ofKind(built, 'Namespace');
      expect(at(namespace, 'metadata', 'labels', 'pod-security.kubernetes.io/enforce')).toBe('restricted');
    });

    it('selects, mounts and names only what it makes itself', () => {
      expect(selectsNothing(built)).toEqual([]);
      expect(dangling(built)).toEqual([]);
    });

    it('holds no secret', () => {
      expect(ofKind(built, 'Secret')).toEqual([]);
    });

    it('probes paths that the service serves, at the port that its settings say', () => {
      const settings = ofKind(built, 'ConfigMap').flatMap((map) =>
        entriesAt(map, 'data').filter(([name]) => name === `${service}.yaml`),
      );
      const listen = String(at(parse(String(settings[0]?.[1])), 'listen'));
      const routes = routesOf(service === 'gateway' ? 'gateway' : 'node-agent');
      const probes = podsOf(built).flatMap(probesOf);
      expect(probes).toHaveLength(3);
      for (const { path, port } of probes) {
        expect([...routes]).toContain(path);
        expect(listen.endsWith(`:${port}`), `${port} and ${listen}`).toBe(true);
      }
    });

    it('lets nothing in but what it must', () => {
      const ports = ofKind(built, 'NetworkPolicy').flatMap((policy) => {
        expect(at(policy, 'spec', 'policyTypes')).toContain('Ingress');
        return listAt(policy, 'spec', 'ingress').flatMap((rule) => {
          // Without "from" everybody is let in.
          expect(listAt(rule, 'from')).not.toEqual([]);
          return listAt(rule, 'ports').map(({ port }) => port);
        });
      });
      const own = service === 'gateway' ? ['http'] : overlay.endsWith('desk') ? ['https'] : [];
      expect(ports).toEqual(overlay === 'gateway/overlays/replicas' ? [...own, 'links'] : own);
    });

    it('stops as slowly as under systemd', () => {
      const seconds = Number(
        valueOf(readUnit(read(`deploy/systemd/hit-${service}.service`)), 'TimeoutStopSec'),
      );
      const set = ofKind(built, 'StatefulSet').map((one) =>
        at(one, 'spec', 'template', 'spec', 'terminationGracePeriodSeconds'),
      );
      expect(set).toEqual([seconds]);
    });

    it('runs programs of the image', () => {
      const programs = podsOf(built)
        .flatMap(containersOf)
        .flatMap((container) => wordsAt(container, 'command').slice(0, 1));
      const there = globSync('*', { cwd: join(root, 'deploy/container/bin') });
      expect(programs.filter((program) => !there.includes(program))).toEqual([]);
    });
  });

  describe('two replicas of an agent', () => {
    const of = (overlay: string) => kustomize(join(manifests, `agent/overlays/${overlay}`));

    it('run on different machines, keep nothing of their own, and one of them is always left', () => {
      const built = of('replicas');
      const [set] = ofKind(built, 'StatefulSet');
      expect(at(set, 'spec', 'replicas')).toBe(2);
      const [apart] = listAt(
        set,
        ...'spec template spec affinity podAntiAffinity requiredDuringSchedulingIgnoredDuringExecution'.split(
          ' ',
        ),
      );
      expect(apart).toEqual({
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchLabels: at(set, 'spec', 'selector', 'matchLabels') },
      });
      const [budget] = ofKind(built, 'PodDisruptionBudget');
      expect([at(budget, 'spec', 'minAvailable'), at(budget, 'spec', 'maxUnavailable')]).toEqual([
        1,
        undefined,
      ]);
      expect(ofKind(built, 'PersistentVolumeClaim')).toEqual([]);
      const settings = ofKind(built, 'ConfigMap').flatMap((map) => entriesAt(map, 'data'));
      expect(settings.map(([name, text]) => [name, at(parse(String(text)), 'database')])).toEqual([
        ['agent.yaml', { postgres: { urlFile: '${CREDENTIALS_DIRECTORY}/postgres-url' } }],
      ]);
    });

    it('have one key store, also when they enrol, and no agent runs meanwhile', () => {
      for (const pod of [...podsOf(of('replicas')), ...podsOf(of('replicas-enrol'))]) {
        const laid = containersOf(pod).flatMap((container) => wordsAt(container, 'command').slice(3));
        expect(laid.slice(0, 2)).toEqual(['keystore.json', 'api-key']);
        expect(listAt(pod.spec, 'volumes').find(({ name }) => name === 'state')).not.toHaveProperty(
          'persistentVolumeClaim',
        );
      }
      expect(at(ofKind(of('replicas-enrol'), 'StatefulSet')[0], 'spec', 'replicas')).toBe(0);
    });
  });

  describe('several replicas of the gateway', () => {
    let built: Tree[];
    let settings: Tree;
    beforeAll(() => {
      if (KUBECTL_MISSING !== undefined) return;
      built = kustomize(join(manifests, 'gateway/overlays/replicas'));
      const [map] = ofKind(built, 'ConfigMap');
      settings = parse(String(at(map, 'data', 'gateway.yaml'))) as Tree;
    });
    const set = (): Tree => ofKind(built, 'StatefulSet')[0] as Tree;
    const rules = (direction: string): Tree[] =>
      ofKind(built, 'NetworkPolicy').flatMap((policy) => listAt(policy, 'spec', direction));

    it('have settings that the gateway takes, and link to each other at the address of the pod', () => {
      const listen = at(settings, 'replicas', 'listen');
      const port = String(listen).split(':')[1];
      const pod = listAt(set(), 'spec', 'template', 'spec', 'containers')[0];
      const variables = Object.fromEntries(
        listAt(pod, 'env').map(({ name, value }) => [String(name), value]),
      );
      const ip = 'POD_IP';
      const address = String(variables['HIT_GATEWAY_REPLICAS__ADDRESS']).replace(`$(${ip})`, '10.1.2.3');
      expect(address).toBe(`10.1.2.3:${port}`);
      useOverrides({ HIT_GATEWAY_REPLICAS__ADDRESS: address });
      try {
        const config = parseConfig(stringify(settings), 'gateway.yaml');
        expect(config.replicas).toMatchObject({ address, listen: { port: Number(port) } });
        expect(config.redis?.urlFile).toBeDefined();
        expect(config.database?.postgres.urlFile).toBeDefined();
      } finally {
        useOverrides({});
      }
      const links = listAt(pod, 'ports').find(({ name }) => name === 'links');
      expect(links).toMatchObject({ containerPort: Number(port) });
    });

    it('let only each other in where they link, and reach each other, PostgreSQL and Redis', () => {
      const links = rules('ingress').filter((rule) =>
        listAt(rule, 'ports').some(({ port }) => port === 'links'),
      );
      const own = at(set(), 'spec', 'selector', 'matchLabels');
      expect(links.map((rule) => listAt(rule, 'from'))).toEqual([[{ podSelector: { matchLabels: own } }]]);
      const out = rules('egress').flatMap((rule) => listAt(rule, 'ports').map(({ port }) => port));
      expect(out).toEqual([53, 53, 5432, 6379, 8461]);
    });

    it('have a name for all of them, no folder that two share, and are replaced one by one', () => {
      const name = at(set(), 'spec', 'serviceName');
      const service = ofKind(built, 'Service').find((one) => at(one, 'metadata', 'name') === name);
      expect(at(service, 'spec', 'clusterIP')).toBe('None');
      expect(ofKind(built, 'PersistentVolumeClaim')).toEqual([]);
      expect(at(set(), 'spec', 'replicas')).toBe(3);
      expect(at(ofKind(built, 'PodDisruptionBudget')[0], 'spec', 'maxUnavailable')).toBe(1);
      expect(at(set(), 'spec', 'minReadySeconds')).toBe(20);
    });

    it('stay while requests still come, and have time for what is under way after that', () => {
      const pod = at(set(), 'spec', 'template', 'spec');
      const [gateway] = listAt(pod, 'containers');
      const before = Number(at(gateway, 'lifecycle', 'preStop', 'sleep', 'seconds'));
      expect(before).toBeGreaterThan(0);
      // Agents get five seconds to connect elsewhere, running lookups at most 61.
      expect(Number(at(pod, 'terminationGracePeriodSeconds'))).toBeGreaterThanOrEqual(before + 5 + 61);
    });

    it('need no sessions that stick to one of them', () => {
      const [ingress] = ofKind(built, 'Ingress');
      const annotations = entriesAt(ingress, 'metadata', 'annotations').map(([key]) => key);
      expect(annotations.filter((key) => /affinity|sticky|upstream-hash/.test(key))).toEqual([]);
      for (const one of ofKind(built, 'Service'))
        expect(at(one, 'spec', 'sessionAffinity') ?? 'None').toBe('None');
    });
  });

  describe('the checks', () => {
    let copy: string;
    beforeAll(() => {
      copy = mkdtempSync(join(tmpdir(), 'hit-kustomize-test-'));
    });
    afterAll(() => rmSync(copy, { recursive: true }));

    /** Builds a copy in which one text was replaced in one file. */
    const broken = (file: string, from: string, to: string): Tree[] => {
      cpSync(manifests, copy, { recursive: true });
      const text = readFileSync(join(copy, file), 'utf8');
      expect(text).toContain(from);
      writeFileSync(join(copy, file), text.replace(from, to));
      return kustomize(join(copy, `${file.split('/')[0]}/overlays/production`));
    };

    it('see a pod with a right too many', () => {
      const built = broken('agent/base/statefulset.yaml', 'runAsNonRoot: true', 'runAsNonRoot: false');
      expect(podsOf(built).flatMap(notRestricted)).toEqual(['StatefulSet/hit-agent: runAsNonRoot']);
    });

    it('see a container that writes to its disk', () => {
      const built = broken('agent/base/statefulset.yaml', 'readOnlyRootFilesystem: true', 'privileged: true');
      expect(podsOf(built).flatMap(notRestricted)).toHaveLength(2);
    });

    it('see a network policy that counts for nobody', () => {
      const built = broken('gateway/base/network-policy.yaml', 'name: hit-gateway }', 'name: gateway }');
      expect(selectsNothing(built)).toEqual(['NetworkPolicy/hit-gateway']);
    });

    it('see a volume that is not there', () => {
      const built = broken('gateway/base/volume.yaml', 'name: hit-gateway', 'name: state');
      expect(dangling(built)).toEqual(['StatefulSet/hit-gateway: hit-gateway']);
    });

    it('see a probe of a path that nobody serves', () => {
      const built = broken('gateway/base/statefulset.yaml', 'path: /readyz', 'path: /ready');
      const paths = podsOf(built)
        .flatMap(probesOf)
        .map(({ path }) => path);
      expect(paths.filter((path) => !routesOf('gateway').has(path))).toEqual(['/ready']);
    });
  });
});
