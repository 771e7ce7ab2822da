import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';

const [known, other, third] = numbers(3, 182_000_000) as [string, string, string];

describe('two imports of one register', () => {
  let gateway: StandInGateway;
  let police: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie');
    await police.import([known]);
  });
  afterEach(() => police.close());

  it('leave what the quicker one made, whichever read its source first', async () => {
    gateway.beforeEvaluation = async () => {
      gateway.beforeEvaluation = async () => undefined;
      gateway.now += 1;
      await police.import([known, other]);
    };
    const late = police.import([third]);
    await expect(late).rejects.toMatchObject({ code: 'not-ready' });
    expect((await police.pseudonyms.imports())[0]).toMatchObject({ clients: 2, importedAt: gateway.now });
    expect(await police.import([third])).toMatchObject({ added: 1, removed: 2 });
  });
});
