/** A setting of a unit of systemd, with the section that it stands in. */
export interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** The settings of a unit, in their order: a name may stand there more than once. */
export function readUnit(text: string): Setting[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, name, value] = /^([A-Z][A-Za-z]*)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ section, name, value }];
  });
}

/** The last value of a setting, as most of them count. */
export const valueOf = (settings: readonly Setting[], name: string): string | undefined =>
  settings.findLast((setting) => setting.name === name)?.value;
