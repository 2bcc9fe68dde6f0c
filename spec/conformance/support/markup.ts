/** Small readers of what the reporters write, so that a spec needs no tool that may be missing. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, number: string | undefined, name: string | undefined) => {
    if (number !== undefined) return String.fromCodePoint(Number(number));
    const known: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
    const character = known[name ?? ''];
    if (character === undefined) throw new Error(`unknown entity ${whole}`);
    return character;
  });
}

/** XML without namespaces, comments and CDATA. Throws on anything that is not well-formed (XML 1.0, 2.1 and 2.2). */
export function parseXml(source: string): Element {
  const body = source.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');

  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u.test(body)) throw new Error('no XML character');
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  for (const [whole, close, name = '', list = '', empty, text] of body.matchAll(
    /<(\/?)([a-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|</g,
  )) {
    const parent = open.at(-1);
    if (parent === undefined) throw new Error(`${whole} after the end`);
    if (text !== undefined) {
      if (/&(?!#\d+;|\w+;)/.test(text) || text.includes(']]>')) throw new Error(`not escaped: ${text}`);
      parent.text += decode(text);
    } else if (name === '') throw new Error(`a stray < in ${parent.name}`);
    else if (close === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> does not close ${parent.name}`);
    } else {
      const attributes: Record<string, string> = {};
      for (const [, key = '', value = ''] of list.matchAll(/([\w:-]+)="([^"]*)"/g)) attributes[key] = decode(value);
      const element: Element = { name, attributes, children: [], text: '' };
      parent.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  const [top] = root.children;
  if (open.length !== 1 || top === undefined || root.children.length !== 1) throw new Error('not one whole element');
  return top;
}

/** All elements of one name below. */
export function all(element: Element, name: string): readonly Element[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
}
