import { afterEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../node-agent/src/config.ts';
import { environmentProxy, isExempt, useProxyEnvironment } from '../../node-agent/src/proxy-environment.ts';

const PROXY = 'http://proxy.example:3128';

describe('the proxy of the environment', () => {
  afterEach(() => useProxyEnvironment({}));

  it.each<[string, string, boolean]>([
    ['https://gateway.example', '*', true],
    ['https://gateway.example', 'gateway.example', true],
    ['https://gateway.example', 'GATEWAY.example', true],
    ['https://gateway.example', 'example', true],
    ['https://gateway.example', '.example', true],
    ['https://gateway.example', '*.example', true],
    ['https://gateway.example', 'way.example', false],
    ['https://gateway.example', 'other.example, localhost', false],
    ['https://gateway.example', 'gateway.example:443', true],
    ['https://gateway.example:8443', 'gateway.example:443', false],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://10.1.2.3', '10.0.0.0/99', false],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[fd00::1]:8443', '[fd00::1]:8443', true],
    ['https://gateway.example', '', false],
  ])('of %s with NO_PROXY=%s', (target, list, exempt) => {
    expect(isExempt(new URL(target), list)).toBe(exempt);
    useProxyEnvironment({ https: PROXY, no: list });
    expect(environmentProxy(new URL(target))).toBe(exempt ? undefined : PROXY);
  });

  it.each<[string, boolean]>([
    ['http://localhost:4318', true],
    ['http://127.0.0.1:4318', true],
    ['http://127.8.9.1', true],
    ['http://[::1]:4318', true],
    ['http://collector.example:4318', false],
    ['http://127.example', false],
    ['http://128.0.0.1', false],
    // With TLS a proxy sees nothing, and may be what the administrator wants.
    ['https://localhost:8443', false],
    ['https://127.0.0.1:8443', false],
  ])('%s is this machine itself, which no proxy stands before: %s', (target, exempt) => {
    expect(isExempt(new URL(target), '')).toBe(exempt);
    useProxyEnvironment({ http: PROXY, https: PROXY, no: 'other.example' });
    expect(environmentProxy(new URL(target))).toBe(exempt ? undefined : PROXY);
  });

  it('may lack its scheme, is that of https: for https:, and may be empty', () => {
    useProxyEnvironment({ https: 'proxy.example:3128', http: '' });
    expect(environmentProxy(new URL('https://gateway.example'))).toBe(PROXY);
    expect(environmentProxy(new URL('http://localhost:8460'))).toBeUndefined();
  });
});

describe('the way to the gateway in agent.yaml', () => {
  it.each<[object, RegExp | undefined]>([
    [{ proxy: PROXY }, undefined],
    [{ proxy: 'none' }, undefined],
    [{ proxy: { url: PROXY, credentialsFile: 'x' } }, undefined],
    [{ gateway: { urls: ['https://a.example', 'https://b.example/'], connections: 3 } }, undefined],
    [{ proxy: 'socks://proxy.example' }, /an address such as http:\/\/proxy\.example:3128, or none/],
    [{ proxy: 'http://name:secret@proxy.example:3128' }, /name that in proxy\.credentialsFile/],
    [{ gateway: { urls: ['http://a.example'] } }, /use https:/],
    [{ gateway: { urls: ['https://a.example/path'] } }, /without a path/],
    [{ gateway: { urls: [] } }, /./],
    [{ gateway: { connections: 9 } }, /./],
    [{ gateway: { tls: { certFile: 'x' } } }, /give both, or neither/],
    [{ gateway: { conections: 2 } }, /./],
  ])('%j', (settings, complaint) => {
    const { error } = configSchema.safeParse(settings);
    if (complaint === undefined) expect(error).toBeUndefined();
    else expect(JSON.stringify(error?.issues)).toMatch(complaint);
    expect(JSON.stringify(error?.issues ?? '')).not.toContain('secret');
  });
});
