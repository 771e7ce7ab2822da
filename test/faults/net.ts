import { spawnSync } from 'node:child_process';

const TABLE = 'hitmachine_faults';

/** Rules for packets in the network that this process has to itself (see main.ts): those of the machine are not touched. */
export class Net {
  /** Whether the kernel can delay packets. */
  readonly #hasNetem =
    spawnSync('tc', ['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']).status === 0 &&
    spawnSync('tc', ['qdisc', 'del', 'dev', 'lo', 'root']).status === 0;

  /** What {@link slow} does in this kernel. */
  get slowedBy(): string {
    return this.#hasNetem
      ? 'packets that come late (netem)'
      : 'a line of 512 kbit/s (a rate of htb: this kernel has no netem)';
  }

  /** Takes away all packets to and from a port, without a word to either end. */
  cut(port: number): void {
    run('nft', 'add', 'table', 'inet', TABLE);
    run('nft', 'add', 'chain', 'inet', TABLE, 'in', '{ type filter hook input priority 0 ; }');
    for (const end of ['dport', 'sport'])
      run('nft', 'add', 'rule', 'inet', TABLE, 'in', 'tcp', end, String(port), 'drop');
  }

  /**
   * Makes everything to and from a port slow: late by so many milliseconds where the kernel can (netem), and otherwise
   * through a line of 512 kbit/s.
   */
  slow(port: number, milliseconds: number): void {
    const tc = (...argv: string[]): void => run('tc', ...argv);
    tc('qdisc', 'add', 'dev', 'lo', 'root', 'handle', '1:', 'htb', 'default', '10');
    tc('class', 'add', 'dev', 'lo', 'parent', '1:', 'classid', '1:10', 'htb', 'rate', '10gbit');
    const rate = this.#hasNetem ? '10gbit' : '512kbit';
    tc('class', 'add', 'dev', 'lo', 'parent', '1:', 'classid', '1:30', 'htb', 'rate', rate);
    if (this.#hasNetem)
      tc(
        'qdisc',
        'add',
        'dev',
        'lo',
        'parent',
        '1:30',
        'handle',
        '30:',
        'netem',
        'delay',
        `${milliseconds}ms`,
      );
    const filter = ['filter', 'add', 'dev', 'lo', 'protocol', 'ip', 'parent', '1:0', 'prio', '3', 'u32'];
    for (const end of ['dport', 'sport'])
      tc(...filter, 'match', 'ip', end, String(port), '0xffff', 'flowid', '1:30');
  }

  /** Takes all rules away. */
  clear(): void {
    spawnSync('nft', ['delete', 'table', 'inet', TABLE]);
    spawnSync('tc', ['qdisc', 'del', 'dev', 'lo', 'root']);
  }
}

function run(command: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(command, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: ${stderr}`);
}
