import { describe, expect, it } from 'vitest';
import { configTemplate } from '../../gateway/src/config-template.ts';
import type { GatewayConfig } from '../../gateway/src/config.ts';
import { parseConfig } from '../../gateway/src/config.ts';

const template = configTemplate({ federation: 'waalstad', listen: '127.0.0.1:0' });
const config = (redis: string): GatewayConfig => parseConfig(`${template}redis: ${redis}\n`, 'gateway.yaml');

describe('redis in gateway.yaml', () => {
  it.each([
    'redis://127.0.0.1:6379',
    'redis://localhost/3',
    'redis://[::1]:6380',
    'rediss://hit@redis.waalstad.nl:6379/0',
  ])('takes %s', (url) => {
    expect(config(`{ url: '${url}' }`).redis?.url).toEqual([url]);
  });

  it.each([
    ["{ url: 'localhost' }", 'an address such as redis://'],
    ["{ url: 'postgres://localhost/hit' }", 'begins with redis://'],
    ["{ url: 'redis://:geheim@localhost' }", 'holds a password: put the address in a file'],
    ["{ url: 'redis://redis.waalstad.nl' }", 'use rediss:// (TLS)'],
    ["{ url: 'redis://localhost/quotas' }", 'the number of a database'],
    ["{ url: 'rediss://redis.waalstad.nl?rejectUnauthorized=false' }", 'takes no parameters'],
    ['{}', 'either url or urlFile, and not both'],
    ["{ url: 'redis://localhost', urlFile: f }", 'either url or urlFile, and not both'],
  ])('refuses %s', (redis, complaint) => {
    expect(() => config(redis)).toThrow(complaint);
    expect(() => config(redis)).not.toThrow('geheim');
  });
});
