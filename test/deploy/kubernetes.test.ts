import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
      ...['init', 'production'].map((name) => `gateway/overlays/${name}`),
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
      expect(ports).toEqual(service === 'gateway' ? ['http'] : overlay.endsWith('desk') ? ['https'] : []);
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
