import type { Tree } from './yaml-files.ts';
import { at, entriesAt, listAt, wordsAt } from './yaml-files.ts';

/** A pod as a manifest describes it, with the name of what describes it. */
export interface Pod {
  readonly of: string;
  readonly labels: Tree;
  readonly spec: Tree;
}

const nameOf = (manifest: Tree): string =>
  `${String(manifest['kind'])}/${String(at(manifest, 'metadata', 'name'))}`;

export const ofKind = (manifests: readonly Tree[], ...kinds: string[]): Tree[] =>
  manifests.filter(({ kind }) => kinds.includes(String(kind)));

/** Every pod that the manifests make. */
export const podsOf = (manifests: readonly Tree[]): Pod[] =>
  manifests
    .filter((manifest) => at(manifest, 'spec', 'template') !== undefined)
    .map((manifest) => ({
      of: nameOf(manifest),
      labels: (at(manifest, 'spec', 'template', 'metadata', 'labels') ?? {}) as Tree,
      spec: at(manifest, 'spec', 'template', 'spec') as Tree,
    }));

export const containersOf = ({ spec }: Pod): Tree[] => [
  ...listAt(spec, 'initContainers'),
  ...listAt(spec, 'containers'),
];

/** Which settings of https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted a pod lacks; and a few more of ours. */
export function notRestricted(pod: Pod): string[] {
  const { spec } = pod;
  const ofPod = [
    [at(spec, 'securityContext', 'runAsNonRoot') === true, 'runAsNonRoot'],
    [Number(at(spec, 'securityContext', 'runAsUser')) > 0, 'runAsUser'],
    [at(spec, 'securityContext', 'seccompProfile', 'type') === 'RuntimeDefault', 'seccompProfile'],
    [at(spec, 'automountServiceAccountToken') === false, 'automountServiceAccountToken'],
    [['hostNetwork', 'hostPID', 'hostIPC'].every((name) => at(spec, name) === undefined), 'host namespaces'],
    [
      listAt(spec, 'volumes').every((volume) =>
        ['configMap', 'secret', 'emptyDir', 'persistentVolumeClaim'].some((kind) => kind in volume),
      ),
      'volumes',
    ],
  ] as const;
  const ofContainers = containersOf(pod).flatMap((container) => {
    const context = at(container, 'securityContext');
    return [
      [at(context, 'allowPrivilegeEscalation') === false, 'allowPrivilegeEscalation'],
      [at(context, 'readOnlyRootFilesystem') === true, 'readOnlyRootFilesystem'],
      [JSON.stringify(at(context, 'capabilities')) === '{"drop":["ALL"]}', 'capabilities'],
      [at(context, 'privileged') === undefined, 'privileged'],
      [at(context, 'runAsUser') !== 0, 'runAsUser'],
      [at(container, 'resources', 'limits', 'memory') !== undefined, 'resources'],
      [/@sha256:[0-9a-f]{64}$/.test(String(at(container, 'image'))), 'image by digest'],
    ] as const;
  });
  return [...ofPod, ...ofContainers].filter(([ok]) => !ok).map(([, what]) => `${pod.of}: ${what}`);
}

/** The pods that a selector of labels finds. */
export const selected = (pods: readonly Pod[], selector: unknown): Pod[] =>
  pods.filter(({ labels }) => entriesAt(selector).every(([name, value]) => labels[name] === value));

/** What selects no pod, of policies, services and budgets. */
export function selectsNothing(manifests: readonly Tree[]): string[] {
  const pods = podsOf(manifests);
  const selectors: [Tree, unknown][] = [
    ...ofKind(manifests, 'NetworkPolicy').map((one): [Tree, unknown] => [
      one,
      at(one, 'spec', 'podSelector', 'matchLabels'),
    ]),
    ...ofKind(manifests, 'PodDisruptionBudget').map((one): [Tree, unknown] => [
      one,
      at(one, 'spec', 'selector', 'matchLabels'),
    ]),
    ...ofKind(manifests, 'Service').map((one): [Tree, unknown] => [one, at(one, 'spec', 'selector')]),
  ];
  return selectors
    .filter(([, selector]) => selector === undefined || selected(pods, selector).length === 0)
    .map(([manifest]) => nameOf(manifest));
}

/** Volumes, claims and mounts that lead nowhere within the manifests. Secrets are made by an administrator. */
export function dangling(manifests: readonly Tree[]): string[] {
  const names = (kind: string): unknown[] =>
    ofKind(manifests, kind).map((one) => at(one, 'metadata', 'name'));
  return podsOf(manifests).flatMap((pod) => {
    const volumes = listAt(pod.spec, 'volumes');
    const claims = volumes.map((volume) => at(volume, 'persistentVolumeClaim', 'claimName')).filter(Boolean);
    const maps = volumes.map((volume) => at(volume, 'configMap', 'name')).filter(Boolean);
    const mounts = containersOf(pod).flatMap((container) => listAt(container, 'volumeMounts'));
    return [
      ...claims.filter((name) => !names('PersistentVolumeClaim').includes(name)),
      ...maps.filter((name) => !names('ConfigMap').includes(name)),
      ...mounts.map(({ name }) => name).filter((name) => !volumes.some((volume) => volume['name'] === name)),
      ...(names('ServiceAccount').includes(at(pod.spec, 'serviceAccountName')) ? [] : ['serviceAccountName']),
    ].map((name) => `${pod.of}: ${String(name)}`);
  });
}

/** The addresses that probes ask: a path, and the port as a number. */
export function probesOf(pod: Pod): { path: string; port: number }[] {
  return listAt(pod.spec, 'containers').flatMap((container) => {
    const ports = new Map(
      listAt(container, 'ports').map((one) => [one['name'], Number(one['containerPort'])]),
    );
    return ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((name) => {
      const get = at(container, name, 'httpGet');
      const [program, url] = wordsAt(container, name, 'exec', 'command');
      if (get !== undefined) {
        const port = at(get, 'port');
        return [{ path: String(at(get, 'path')), port: ports.get(port) ?? Number(port) }];
      }
      if (program !== 'hit-probe' || url === undefined) return [];
      return [{ path: new URL(url).pathname, port: Number(new URL(url).port) }];
    });
  });
}
